"""The app obeys the Python worker's rules: one function that breaks one would stop the whole app in the cloud.

A fresh process loads `function_app.py` as the host does, with the settings of `local.settings.example.json`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent.parent

# prints the functions' names, or fails with the rule that is broken
CHECK = """
import json, os, pathlib, sys
from local.host.configuration import read_configuration
from local.host.loader import check_app, load_app

root = pathlib.Path(sys.argv[1])
read_configuration(root, os.environ)
print(json.dumps([one.name for one in check_app(load_app(root, os.environ), os.environ)]))
"""


def check(root: Path, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, **settings, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-c", CHECK, str(root)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False, cwd=root)


def example_settings() -> dict[str, str]:
    found: dict[str, Any] = json.loads((PROJECT / "local.settings.example.json").read_text(encoding="utf-8"))
    return dict(found["Values"])


def test_every_function_obeys_the_rules_of_the_worker() -> None:
    done = check(PROJECT, example_settings())
    assert done.returncode == 0, done.stderr
    names = json.loads(done.stdout.splitlines()[-1])
    assert names
    assert len(set(names)) == len(names)


def test_a_function_that_breaks_a_rule_fails_the_check(tmp_path: Path) -> None:
    """So that the test above cannot pass by looking at nothing."""
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text(
        "import azure.functions as func\n"
        "app = func.FunctionApp()\n"
        "@app.service_bus_queue_trigger(arg_name='m', queue_name='q', connection='SERVICEBUS', cardinality='many')\n"
        "def take(m: list[func.ServiceBusMessage]) -> None: ...\n"
    )
    done = check(tmp_path, example_settings())
    assert done.returncode == 1
    assert "cannot load the take function: binding m has invalid non-type annotation" in done.stderr
