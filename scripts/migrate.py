"""`python -m scripts.migrate status|run`: rows of old formats, see docs/upgrade.md.

The app does the same by itself, every ten minutes. This works where the settings TABLES or TABLES__endpoint point, in the
cloud with the caller's own rights.
"""

from __future__ import annotations

import argparse
import sys

from shared import migration
from shared.errors import RapportError

TURN_SECONDS = 5.0


def status() -> bool:
    """Print how far each migration is; whether all are done."""
    done = True
    for one in migration.MIGRATIONS:
        at = migration.reach(one)
        state = "done" if at.done else "under way" if at.visited else "not begun"
        print(f"{one.table} {one.number}: {state}, {at.visited:,} rows visited, {at.rewritten:,} rewritten")
        done = done and at.done
    return done


def main() -> None:
    """`status` ends with 1 while something is left, for use in scripts."""
    parser = argparse.ArgumentParser(prog="python -m scripts.migrate", description=__doc__)
    parser.add_argument("action", choices=("status", "run"))
    action = parser.parse_args().action
    try:
        if action == "run":
            while not all(migration.reach(one).done for one in migration.MIGRATIONS):
                migration.migrate(TURN_SECONDS)
                status()
        sys.exit(0 if status() else 1)
    except RapportError as error:
        sys.exit(error.detail)


if __name__ == "__main__":
    main()
