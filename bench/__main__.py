"""`python -m bench [NAME ...]`: measure what the project says about its speed, all of it or the named parts.

Each part prints what it compares and a table. Compare the numbers of one table only: they were measured in turn, on a machine
that may have been doing other things meanwhile. `python -m bench > bench/results.txt` keeps a run.
"""

from __future__ import annotations

import argparse
import os
import platform
from importlib import import_module

PARTS = ("reading", "all_widgets", "table_formats", "http_reads", "import_cost", "graph_client", "kpi_core", "similar")


def title(part: str) -> str:
    """What a part measures: the first sentence of its module, without the command.

    >>> title("similar")
    'Time and memory of finding the similar won deals of one deal among 100,000'
    """
    text = (import_module(f"bench.{part}").__doc__ or "").partition("\n")[0]
    return text.partition(": `python")[0].partition(", `python")[0].rstrip(".")


def main(names: list[str]) -> None:
    """Run the parts."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores", flush=True)
    for name in names:
        print(f"\n{name}: {title(name)}", flush=True)
        import_module(f"bench.{name}").main()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures the app's speed.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"parts to run, of: {', '.join(PARTS)} (default: all)")
    names = parser.parse_args().names
    if unknown := [name for name in names if name not in PARTS]:
        parser.error(f"there is no part {', '.join(unknown)}")
    main(names or list(PARTS))
