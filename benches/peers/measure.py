"""Runs a command, hides what it prints, and prints one line: seconds, peak of resident memory in MiB, last line of output.

    python measure.py LABEL COMMAND...
"""
import resource
import subprocess
import sys
import time

start = time.perf_counter()
done = subprocess.run(sys.argv[2:], check=True, capture_output=True, text=True)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"{sys.argv[1]:<28} {seconds:8.1f} s {peak:8.0f} MiB   {done.stdout.splitlines()[-1]}", flush=True)
