"""What importing the app costs beside importing azure.functions, which every app must: `python -m bench import_cost`.

Each is imported in fresh processes, in turn, and the least CPU time counts: of the import alone, without starting Python.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.measure import show

MODULES = ("azure.functions", "function_app")
LIMIT = 2.0
ROOT = Path(__file__).resolve().parent.parent
_CODE = """
import sys, time
start = time.process_time()
__import__(sys.argv[1])
spent = time.process_time() - start
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(spent * 1e3, int(status["VmRSS"].split()[0]) / 1024, len(sys.modules))
"""


def import_once(module: str) -> tuple[float, float, int]:
    """CPU milliseconds of importing `module` in a fresh process, the process's MiB, and its modules."""
    command = [sys.executable, "-c", _CODE, module]
    milliseconds, mebibytes, modules = subprocess.check_output(command, cwd=ROOT, text=True).split()
    return float(milliseconds), float(mebibytes), int(modules)


def compare(rounds: int) -> list[list[object]]:
    """One line per module: its least CPU time, as a multiple of the first module's, memory, number of modules."""
    runs = [[import_once(module) for module in MODULES] for _ in range(rounds)]
    best = [min(one) for one in zip(*runs, strict=True)]
    return [[module, *one[:1], one[0] / best[0][0], *one[1:]] for module, one in zip(MODULES, best, strict=True)]


def main(rounds: int = 9) -> None:
    """Print the table and what the limit is."""
    show(("import", "CPU ms", "times", "MiB", "modules"), compare(rounds))
    print(f"limit: {LIMIT:.0f} times")
