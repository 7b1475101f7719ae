"""`python -m scripts.dataverse.load`: send what Dataverse holds to the app, and later what has changed since.

Each table is read in pages with change tracking, so that the next run reads only what changed; rows that are gone are told
as well. The state lies in a file: stop or kill it at any time and start it again. docs/connect-crm.md explains it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from scripts.dataverse import relations
from scripts.dataverse.app import App, RefusedError
from scripts.dataverse.progress import Held, Joined, OtherLoadError, Progress, State
from scripts.dataverse.relations import Relations
from scripts.dataverse.rows import (
    FORMATTED,
    PARTY_COLUMNS,
    TARGET,
    Change,
    change_of,
    connected,
    deletion,
    holds,
    links,
    parties_of,
    safe_version,
    version_of,
)
from scripts.dataverse.tables import ACTIVITIES, TABLES, Table, column_name, describe, totals
from scripts.dataverse.webapi import Answer, WebApi, WebApiError
from scripts.sign_in import token_source

PAGE = 500
IDS = 200  # activities whose participants are asked for at once; their ids stand in the address
EXPIRED = "0x80044352"  # what changed since is no longer known: after 7 days, unless the organisation says otherwise
_ANNOTATIONS = f'odata.include-annotations="{TARGET},{FORMATTED}"'
_PARTIES = ",".join(column_name(name, kind) for name, kind in PARTY_COLUMNS.items())
Show = Callable[[str, int, int], object]  # table, rows read, about how many there are (0: not known)


@dataclass
class Load:
    """One run: reads from `api`, sends to `app`, remembers in `progress`."""

    api: WebApi
    app: App
    progress: Progress
    page: int = PAGE
    show: Show = lambda name, read, total: None

    def run(self, names: Iterable[str] = TABLES) -> int:
        """Bring the app in line with every table, then with the relations; how many changes were sent."""
        tables = [table for name in names if (table := describe(self.api, name)) is not None]
        expected = totals(self.api, [table.name for table in tables])
        sent = sum(self._table(table, expected.get(table.name, 0)) for table in tables)
        return sent + (self._relations() if {"team", "systemuser"} <= {table.name for table in tables} else 0)

    def _table(self, table: Table, total: int) -> int:
        state, sent = self.progress.state(table.name), 0
        if not state.next and not state.delta and state.whole:
            state = self.progress.restart(table.name)  # not tracked: all rows once more
        while True:
            try:
                answer = self.api.get(state.next or state.delta or table.query, self._prefer(table))
            except WebApiError as error:
                if error.code.lower() != EXPIRED or not (state.next or state.delta):
                    raise
                state = self.progress.restart(table.name)
                continue
            state, count = self._page(table, state, answer)
            sent += count
            self.show(table.name, state.read, total)
            if not state.next:
                return sent + self._gone(table, state, answer.at)

    def _prefer(self, table: Table) -> tuple[str, ...]:
        tracking = ("odata.track-changes",) if table.tracked else ()
        return (*tracking, f"odata.maxpagesize={self.page}", _ANNOTATIONS)

    def _page(self, table: Table, state: State, answer: Answer) -> tuple[State, int]:
        gone = [row["id"] for row in answer.rows if "$deletedEntity" in row.get("@odata.context", "")]
        rows = [row for row in answer.rows if table.key in row]
        known = self.progress.held(table.name, [row[table.key] for row in rows] + gone)
        lost = [known.get(id, Held(id)) for id in gone]
        if table.name == "connection":
            held = [Held(row[table.key], joined=_joined(table, row, answer.at)) for row in rows]
            changes = self._connections(held, lost, known, answer.at)
        else:
            changes, held = self._rows(table, rows, known, answer.at)
            changes += [deletion(table.name, one.id, answer.at) for one in lost]
        sent = self.app.post(changes)
        ended = not answer.next_link
        state = replace(
            state,
            next=answer.next_link,
            delta=answer.delta_link if ended else state.delta,
            whole=state.whole or ended,
            read=state.read + len(answer.rows),
        )
        self.progress.page(table.name, state, held, gone)
        return state, sent

    def _rows(
        self, table: Table, rows: list[dict[str, Any]], known: dict[str, Held], at: datetime
    ) -> tuple[list[Change], list[Held]]:
        parties = self._parties([row[table.key] for row in rows]) if table.name in ACTIVITIES - {"task"} else {}
        changes, held = [], []
        for row in rows:
            id = row[table.key]
            before = known.get(id, Held(id))
            change = change_of(table, row, at, parties.get(id), before.closed)
            changes.append(change)
            closed = change["attributes"].get("closedAt")
            held.append(Held(id, closed))
        return changes, held

    def _parties(self, ids: list[str]) -> dict[str, dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), IDS):
            listed = ",".join(f"'{id}'" for id in ids[start : start + IDS])
            chosen = f"Microsoft.Dynamics.CRM.In(PropertyName='activityid',PropertyValues=[{listed}])"
            query = f"activityparties?$select={_PARTIES}&$filter={chosen}"
            found += self.api.pages(query, ("odata.maxpagesize=5000", _ANNOTATIONS))
        return parties_of(found)

    def _connections(self, rows: list[Held], lost: list[Held], known: dict[str, Held], at: datetime) -> list[Change]:
        """Links of connections that hold; what ended is unlinked only when no other connection joins the same two rows.

        If one does, that is said again: the webhook, which sees one connection at a time, has told the opposite.
        """
        now = {held.id: held.joined for held in rows} | {held.id: None for held in lost}
        still = {one.pair for one in now.values() if one and one.holds}
        changes: list[Change] = []
        for id, joined in now.items():
            before = known.get(id, Held(id)).joined
            if before and _parted(before, joined):
                version = joined.version if joined else max(safe_version(at), before.version + 1)
                stays = before.pair in still or self._others(before.pair, now)
                changes += links("link" if stays else "unlink", version, *before.ends)
            if joined and joined.holds:
                changes += links("link", joined.version, *joined.ends)
        return changes

    def _others(self, pair: str, besides: Iterable[str]) -> bool:
        return bool(self.progress.joined_by(pair) - set(besides))

    def _gone(self, table: Table, state: State, at: datetime) -> int:
        """Tell of rows that a second or later pass over all rows no longer met."""
        if state.number == 1:
            return 0
        lost = self.progress.unseen(table.name, state)
        if table.name == "connection":
            changes = self._connections([], lost, {held.id: held for held in lost}, at)
        else:
            changes = [deletion(table.name, held.id, at) for held in lost]
        sent = self.app.post(changes)
        self.progress.page(table.name, state, (), [held.id for held in lost])
        return sent

    def _relations(self) -> int:
        now, at = relations.read(self.api)
        before = Relations(*(self.progress.sets(kind) for kind in Relations._fields))
        sent = self.app.post(relations.changes(now, before, at))
        for kind in Relations._fields:
            self.progress.keep_sets(kind, getattr(now, kind))
        return sent


def _joined(table: Table, row: dict[str, Any], at: datetime) -> Joined | None:
    ends = connected(row)
    return Joined(ends, version_of(row, at), holds(row, at)) if ends else None


def _parted(before: Joined | None, now: Joined | None) -> bool:
    """Whether a connection no longer joins what it joined."""
    return bool(before and before.holds and (now is None or not now.holds or now.pair != before.pair))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.dataverse.load", description=__doc__)
    parser.add_argument("--crm", required=True, help="address of the environment, https://contoso.crm4.dynamics.com")
    parser.add_argument("--app", required=True, help="address of the app, https://NAME.azurewebsites.net")
    given = os.environ.get("RAPPORT_AUTH_CLIENT_ID", "")
    parser.add_argument(
        "--audience", default=given, help="client id of the app's registration (RAPPORT_AUTH_CLIENT_ID)"
    )
    parser.add_argument(
        "--state", type=Path, default=Path(".local/dataverse-load.db"), help="file that remembers how far it is"
    )
    parser.add_argument(
        "--tables", type=lambda text: text.split(","), default=list(TABLES), help="only these, with commas"
    )
    parser.add_argument("--page", type=int, default=PAGE, help=f"rows in a page, 1 to 5000 (default {PAGE})")
    parser.add_argument(
        "--follow", type=float, metavar="SECONDS", help="go on for ever, reading changes after so many seconds"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be read, and send nothing")
    return parser.parse_args()


def _shown(name: str, read: int, total: int) -> None:
    of = f" of about {max(total, read):,}" if total else ""
    print(f"{name}: {read:,}{of} rows", file=sys.stderr, flush=True)


def survey(api: WebApi, names: Iterable[str]) -> None:
    """Print what would be read: each table's query, whether its changes are tracked, and about how many rows it has."""
    tables = {name: describe(api, name) for name in names}
    counts = totals(api, [name for name, table in tables.items() if table])
    for name, table in tables.items():
        if table is None:
            print(f"{name}: not in this environment")
            continue
        how = (
            "changes tracked" if table.tracked else "changes NOT tracked, read whole each time: see docs/connect-crm.md"
        )
        print(f"{name}: about {counts.get(name, 0):,} rows, {how}\n  GET {table.query}")


def main() -> None:
    """Run as asked."""
    given = _arguments()
    api = WebApi(given.crm.rstrip("/"), token_source(f"{given.crm.rstrip('/')}/.default", "RAPPORT_CRM_TOKEN"))
    if given.dry_run:
        survey(api, given.tables)
        return
    app = App(given.app.rstrip("/"), token_source(f"api://{given.audience}/.default", "RAPPORT_APP_TOKEN"))
    app.left_out = lambda change, reason: print(
        f"left out {change['entity']} {change['id']}: {reason}", file=sys.stderr
    )
    try:
        load = Load(api, app, Progress(given.state, api.address, app.address), given.page, _shown)
        while True:
            print(f"{load.run(given.tables):,} changes sent", flush=True)
            if given.follow is None:
                return
            time.sleep(given.follow)
    except (WebApiError, RefusedError, OtherLoadError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped. Start it again to go on.")


if __name__ == "__main__":
    main()
