"""How well who knows whom finds the colleagues in contact: `python -m bench.evaluate_introductions [MAIL COLLEAGUES]`.

MAIL is a mail log (`bench.mail_log`), COLLEAGUES lists the ids of our people, one a line; without both, it is the sample tenant's
mail with its sellers. Prints a JSON line per ranking with
`ranking`, `hit_at_1`, `hit_at_5`, `mrr` and `n` (cases), on the later half of the log (`bench.introductions`): `rapport` is
the app's strength with parameters fitted on the earlier half, `rapport_default` with the shipped ones, against the number
of mails, the newest mail, and mails halved every 60 days. `settings` of the first line, published as the organisation's
settings, makes the app serve that ranking.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from msgspec import to_builtins

from bench.introductions import (
    Case,
    Pairs,
    Ranking,
    by_count,
    by_decay,
    by_recency,
    by_strength,
    cases,
    dates_of,
    fit,
    pairs_of,
)
from bench.mail_log import MailLog, read_mail_log
from local.sample.mail import SOURCE, choose_sellers, read_mails
from shared.kpi.parameters import Parameters
from shared.organisation_settings import WhoKnowsWhom


def evaluate(log: MailLog, colleagues: Iterable[str]) -> list[dict[str, object]]:
    """The printed lines as objects, `rapport` first."""
    key = {person: position + 1 for position, person in enumerate(log.people)}
    pairs = pairs_of(log.interactions, [key[person] for person in set(colleagues) if person in key])
    fitting, testing = dates_of(pairs.met)
    fitted = fit(pairs, fitting)
    rankings: dict[str, Ranking] = {
        "rapport": by_strength(fitted),
        "rapport_default": by_strength(Parameters()),
        "count": by_count,
        "recency": by_recency,
        "decay_60_days": by_decay,
    }
    lines = [_line(name, pairs, ranking, testing) for name, ranking in rankings.items()]
    lines[0]["settings"] = {"whoKnowsWhom": to_builtins(settings_of(fitted))}
    return lines


def settings_of(fitted: Parameters) -> WhoKnowsWhom:
    """The organisation's settings that give these parameters."""
    return WhoKnowsWhom(
        half_life_days=fitted.strength_half_life_days,
        window_days=fitted.strength_window_days,
        one_way=fitted.strength_one_way,
        damping=fitted.strength_damping,
        regularity=fitted.strength_regularity,
        silence_half_life_days=fitted.strength_silence_half_life_days,
    )


def _line(name: str, pairs: Pairs, ranking: Ranking, dates: Sequence[int]) -> dict[str, object]:
    found: list[Case] = [case for date in dates for case in cases(pairs, ranking, date).values()]
    n = len(found)

    def mean(total: float) -> float | None:
        return round(total / n, 4) if n else None

    return {
        "ranking": name,
        "hit_at_1": mean(sum(case.hit_at_1 for case in found)),
        "hit_at_5": mean(sum(case.hit_at_5 for case in found)),
        "mrr": mean(sum(case.reciprocal_rank for case in found)),
        "n": n,
    }


def main(arguments: Sequence[str]) -> int:
    """Reads the two files and prints the lines."""
    if len(arguments) not in (0, 2):
        print("usage: python -m bench.evaluate_introductions [MAIL COLLEAGUES]", file=sys.stderr)
        return 2
    log = read_mail_log(Path(arguments[0]) if arguments else SOURCE)
    colleagues = Path(arguments[1]).read_text(encoding="utf-8").split() if arguments else choose_sellers(read_mails())
    for line in evaluate(log, colleagues):
        print(json.dumps(line))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
