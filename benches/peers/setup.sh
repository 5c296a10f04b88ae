#!/usr/bin/env bash
# Installs what benches/compare.sh compares with: PyTorch, and with `setup.sh keras` Keras on TensorFlow too.
# Needs Python 3.11 or newer with venv, pip and gcc. Everything goes to $PEERS_HOME (default ~/.cache/peers).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
home=${PEERS_HOME:-$HOME/.cache/peers}
mkdir -p "$home/bin"

if [ ! -x "$home/venv-torch/bin/python" ]; then
  python3 -m venv "$home/venv-torch"
  pip=$home/venv-torch/bin/pip
  "$pip" install -q numpy safetensors
  # The wheels for the processor alone are small. Where only the general package index can be reached, its wheel is linked
  # with CUDA: it is taken without those gigabytes, and cuda_stubs.py puts empty libraries in their place.
  if ! "$pip" install -q torch==2.15.0 --index-url https://download.pytorch.org/whl/cpu; then
    "$pip" install -q --no-deps torch==2.15.0
    "$pip" install -q typing-extensions sympy networkx jinja2 filelock fsspec setuptools
    "$home/venv-torch/bin/python" "$here/cuda_stubs.py" "$home"/venv-torch/lib/python3*/site-packages/torch/lib
  fi
fi

# MKL chooses a slower path on processors that are not Intel's; preloading this makes it choose by the instruction set.
gcc -shared -fPIC -O1 -o "$home/bin/mkl_as_on_intel.so" "$here/mkl_as_on_intel.c"
"$home/venv-torch/bin/python" -c 'import torch; print("torch", torch.__version__)'

if [ "${1:-}" = keras ] && [ ! -x "$home/venv-tf/bin/python" ]; then
  python3 -m venv "$home/venv-tf"
  "$home/venv-tf/bin/pip" install -q tensorflow-cpu==2.21.0 keras==3.15.1
fi
