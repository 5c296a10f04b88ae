#!/usr/bin/env bash
# Wengert beside PyTorch on this machine: runs both sides in turn, and prints the ratio of their times (or memory).
#
#   benches/compare.sh [-r ROUNDS] [-t THREADS] [-i] [WORKLOAD…]     workloads w1 … w10 (default: all), 5 rounds, 2 threads
#   benches/compare.sh mnist                                         the whole MNIST script, beside PyTorch's and Keras's
#
# -i makes PyTorch's MKL run as on Intel's processors (peers/mkl_as_on_intel.c says why); w8 is always compared with that.
# w6 runs with one thread. From the first round on both sides begin with the weights that PyTorch drew, so their losses
# agree. PyTorch is driven from Python, as its users drive it. benches/peers/setup.sh installs it, `setup.sh keras` Keras.
# WORKLOADS=FILE takes a binary that is already built.
set -euo pipefail
cd "$(dirname "$0")/.."
home=${PEERS_HOME:-$HOME/.cache/peers}
python=$home/venv-torch/bin/python
rounds=5 threads=2 intel=
while getopts r:t:i option; do
  case $option in
    r) rounds=$OPTARG ;;
    t) threads=$OPTARG ;;
    i) intel=yes ;;
    *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
[ -x "$python" ] || { echo "no PyTorch in $home: run benches/peers/setup.sh" >&2; exit 1; }

if [ "${1:-}" = mnist ]; then
  cargo build --release --quiet --example mnist
  data=datasets/data/mnist
  for _ in $(seq "$rounds"); do
    "$python" benches/peers/measure.py "Wengert" target/release/examples/mnist --threads 2
    "$python" benches/peers/measure.py "PyTorch, from Python" "$python" -W ignore benches/peers/mnist_torch.py $data
    if [ -x "$home/venv-tf/bin/python" ]; then
      "$python" benches/peers/measure.py "Keras, from Python" "$home/venv-tf/bin/python" benches/peers/mnist_keras.py $data
    fi
  done
  exit
fi

find='import json, sys; print([m["executable"] for m in map(json.loads, sys.stdin) if m.get("executable")][-1])'
binary=${WORKLOADS:-$(cargo bench --bench workloads --no-run --message-format=json 2> /dev/null | "$python" -c "$find")}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PEER_REPEATS=${PEER_REPEATS:-3} PEER_REPEAT_SECONDS=${PEER_REPEAT_SECONDS:-0.3}
for round in $(seq "$rounds"); do
  for workload in ${*:-w1 w2 w3 w4 w5 w6 w7 w8 w9 w10}; do
    echo "round $round of $rounds: $workload" >&2
    count=$threads preload=
    [ "$workload" = w6 ] && count=1
    if [ "$workload" = w8 ] || [ -n "$intel" ]; then preload=$home/bin/mkl_as_on_intel.so; fi
    LD_PRELOAD=$preload PEER_WEIGHTS=$work "$python" -W ignore benches/peers/workloads_torch.py "$count" "$workload"
    init=()
    case $workload in w1 | w2 | w3 | w4 | w5) init=(--init "$work") ;; esac
    "$binary" --json --threads "$count" "${init[@]}" "$workload"
  done
done > "$work/figures"
"$python" benches/peers/ratios.py < "$work/figures"
