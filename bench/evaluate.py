"""`python -m bench.evaluate [MAIL] [HORIZON]`: does the health score foretell whether two people go on writing?

MAIL is a CSV file (`.csv`, `.csv.gz`) with a header, one row per mail and recipient: `sender,recipient,unix_time` or
`time,sender,recipient,recipient_type` (ISO 8601, UTC). HORIZON is in days (default 30). Prints one JSON line per score, ours
("rapport") first. As-of dates come from the file by the rule of `shared.kpi.quality.as_of_dates`; `--dates 90,120,…` gives
them in days after the first mail.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from shared.kpi.parameters import DAY
from shared.kpi.quality import Dates, TooShortError, evaluate
from shared.kpi.ties import Mails, mails_of

SAMPLE = Path(__file__).parent.parent / "local" / "sample" / "enron.csv.gz"


def read_mails(path: Path) -> Mails:
    """The mails of a file in either form. Raises ValueError, with the line, for anything else."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rows = csv.DictReader(io.StringIO(raw.decode("utf-8-sig")))
    names = set(rows.fieldnames or ())
    column = "unix_time" if "unix_time" in names else "time"
    if not {"sender", "recipient", column} <= names:
        raise ValueError(
            f"{path.name}: expected columns sender, recipient and unix_time or time, found {sorted(names)}"
        )
    try:
        found = [(row["sender"], row["recipient"], _instant(row[column])) for row in rows]
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path.name}, line {rows.line_num}: {error}") from error
    people = {
        name: number for number, name in enumerate(sorted({n for s, r, _ in found for n in (s, r)}, key=_natural))
    }
    columns = [[people[s] for s, _, _ in found], [people[r] for _, r, _ in found], [at for _, _, at in found]]
    return mails_of(*(np.array(values, dtype=np.int64) for values in columns))


def _instant(text: str) -> int:
    try:
        return int(float(text))
    except ValueError:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _natural(name: str) -> tuple[int, str]:
    """Orders numbered ids by their number: the smaller id is "ours"."""
    digits = "".join(character for character in name if character.isdigit())
    return int(digits) if digits else -1, name


def _dates(text: str, first: int, horizon_days: int) -> Dates:
    return Dates.halves(np.array([first + int(day) * DAY for day in text.split(",")]), horizon_days)


def main(arguments: list[str] | None = None) -> int:
    """Print the results; 2 with a sentence on stderr when the file cannot be read or is too short."""
    parser = argparse.ArgumentParser(prog="python -m bench.evaluate", description=__doc__.split("\n\n")[0])
    parser.add_argument("mail", nargs="?", type=Path, default=SAMPLE)
    parser.add_argument("horizon", nargs="?", type=int, default=30, help="days (default 30)")
    parser.add_argument("--dates", help="as-of dates in days after the first mail, comma-separated")
    given = parser.parse_args(arguments)
    try:
        mails = read_mails(given.mail)
        dates = None if given.dates is None else _dates(given.dates, int(mails.at.min()), given.horizon)
        for result in evaluate(mails, given.horizon, dates):
            print(json.dumps(asdict(result)))
    except (OSError, TooShortError, ValueError) as error:
        print(f"bench.evaluate: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
