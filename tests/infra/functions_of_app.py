"""What `function_app.py` registers, in a fresh process, since an app may be indexed only once in each; and what the
modules of `functions/` declare, read from their source.
"""

from __future__ import annotations

import ast
import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LIST = """
import json
from function_app import app
found = []
for one in app.get_functions():
    user = one.get_user_function()
    about = getattr(user, "__endpoint__", None)
    for binding in json.loads(one.get_function_json())["bindings"]:
        found.append({**binding, "function": one.get_function_name(),
                      "public": about is not None and about.roles is None})
print(json.dumps(found))
"""


@functools.cache
def _bindings() -> str:
    done = subprocess.run([sys.executable, "-c", LIST], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@functools.cache
def declared() -> tuple[dict[str, Any], ...]:
    """Name, route (None if it is no HTTP function) and `public` of each function in `functions/*.py`."""
    found = []
    for path in sorted((ROOT / "functions").glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.decorator_list:
                given = {
                    word.arg: word.value.value
                    for call in node.decorator_list
                    if isinstance(call, ast.Call)
                    for word in call.keywords
                    if isinstance(word.value, ast.Constant)
                }
                public = "roles" in given and given["roles"] is None
                found.append({"function": node.name, "route": given.get("route"), "public": public})
    return tuple(found)


def bindings() -> list[dict[str, Any]]:
    """Every binding of every function with the function's name, and whether it answers without sign-in."""
    found: list[dict[str, Any]] = json.loads(_bindings())
    return found
