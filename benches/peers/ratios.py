"""The table of benches/compare.sh, from JSON lines of both sides on standard input: medians over the rounds, and ratios."""
import json
import statistics
import sys

values, units = {}, {}
for line in sys.stdin:
    figure = json.loads(line)
    ours = figure["peer"] == "wengert"
    key = (figure["workload"], figure["metric"])
    values.setdefault(key, ([], []))[0 if ours else 1].append(figure["value"])
    units[key] = figure["unit"]
# A formula has no like in PyTorch: it stands against the same function, written op by op.
for (workload, metric), (_, theirs) in values.items():
    if workload == "w7_elementwise_formula":
        theirs += values.get(("w7_elementwise", metric), ([], []))[1]

print(f"{'workload':<28} {'metric':<22} {'wengert':>11} {'PyTorch,':>12} {'unit':<9} {'ratio':>7} {'from … to':>13}")
print(f"{'':<28} {'':<22} {'':>11} {'from Python':>12}")
for key, (ours, theirs) in values.items():
    workload, metric = key
    if not ours or not theirs or metric == "loss_last" or units[key] in ("GFLOP/s", "GB/s"):
        continue
    a, b = statistics.median(ours), statistics.median(theirs)
    row = f"{workload:<28} {metric:<22} {a:>11.4g} {b:>12.4g} {units[key]:<9}"
    if units[key] in ("nats", "v.Hv"):  # the same number on both sides, if all is well
        print(f"{row} differ by {abs(a - b):.1e}")
        continue
    ratios = sorted(x / y for x, y in zip(ours, theirs))
    print(f"{row} {statistics.median(ratios):>7.3f} {ratios[0]:>6.3f} {ratios[-1]:>6.3f}")
