"""`python -m local.host --port 7071 --folder DIR [--root APP] [--enable-auth]`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path

from local.host.configuration import read_configuration
from local.host.errors import HostError
from local.host.host import Host, Start
from local.host.loader import check_app, load_app
from local.host.settings import apply_local_settings

log = logging.getLogger("host")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.host", description=__doc__)
    parser.add_argument("--port", type=int, default=7071)
    parser.add_argument("--folder", type=Path, required=True, help="where keys and timer status are kept")
    parser.add_argument("--root", type=Path, default=Path(), help="the app: function_app.py and host.json")
    parser.add_argument("--enable-auth", action="store_true", help="ask for function keys, as in the cloud")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds that running calls have at a stop")
    return parser.parse_args()


def _start_logging() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO, stream=sys.stdout)
    # the client logs each link it opens and closes
    logging.getLogger("azure").setLevel(logging.WARNING)


def _load(arguments: argparse.Namespace) -> Start:
    root: Path = arguments.root.resolve()
    folder: Path = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    local_settings = apply_local_settings(root, os.environ)
    configuration = read_configuration(root, os.environ)
    os.chdir(root)
    return Start(
        root=root,
        folder=folder,
        port=arguments.port,
        environ=os.environ,
        functions=check_app(load_app(root, os.environ), os.environ),
        configuration=configuration,
        local_settings=local_settings,
        enable_auth=arguments.enable_auth,
        grace=arguments.grace,
    )


async def _serve(start: Start) -> bool:
    return await Host(start).run()


def main() -> int:
    """Exit code 0 after an orderly stop, 1 when the app or a setting is refused, 2 for wrong arguments."""
    arguments = _arguments()
    _start_logging()
    try:
        ended = asyncio.run(_serve(_load(arguments)))
    except HostError as error:
        print(error, file=sys.stderr)
        return 1
    if not ended:
        # threads of calls that were cut off would be waited for at a normal exit
        logging.shutdown()
        sys.stdout.flush()
        os._exit(0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
