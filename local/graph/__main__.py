"""`python -m local.graph --port 7090 --folder .local/graph [--sample] [--mailboxes a@us.example,b@us.example]`."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from local.graph.app import make_app
from local.graph.errors import SimulatorError
from local.graph.filling import add_mailboxes, fill
from local.graph.identity import WORLD
from local.signin import HOST


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.graph", description="Graph simulator and sign-in")
    parser.add_argument("--port", type=int, default=7090)
    parser.add_argument("--folder", type=Path, default=Path(".local/graph"))
    parser.add_argument("--sample", action="store_true", help="fill a new folder with the sample tenant's mailboxes")
    parser.add_argument("--mailboxes", default="", help="addresses of empty mailboxes, joined by commas")
    parser.add_argument("--no-consent", action="store_true", help="a new folder starts without any consent")
    return parser.parse_args()


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    options = _options()
    try:
        app = make_app(options.folder, consented=not options.no_consent)
    except SimulatorError as error:
        sys.exit(str(error))
    add_mailboxes(app[WORLD], filter(None, options.mailboxes.split(",")))
    if options.sample:
        fill(app[WORLD], datetime.now(UTC).date())
    web.run_app(app, host=HOST, port=options.port, access_log=None)


if __name__ == "__main__":
    main()
