"""`python -m local.form`: serve the form until SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
from pathlib import Path

from aiohttp import web

from local.form.server import HOST, Form, make_app


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.form", description=__doc__)
    parser.add_argument("--port", type=int, default=7080)
    parser.add_argument("--app", default="http://127.0.0.1:7071", help="the app")
    parser.add_argument("--signin", default="http://127.0.0.1:7090", help="the sign-in simulator")
    parser.add_argument("--folder", type=Path, default=Path(".local"), help="the stack's folder")
    options = parser.parse_args()
    form = Form(options.app, options.signin, options.folder)
    web.run_app(make_app(form), host=HOST, port=options.port, access_log=None)


if __name__ == "__main__":
    main()
