"""Typed decoding: one door, and threads that go through it together for the first time."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOOR = ROOT / "shared/decoders.py"
# What a worker does when it has just started: threads that meet in types whose plans nobody has made yet.
START = """
import sys, threading
sys.setswitchinterval(1e-6)
from shared import decoders
from shared.changes import Change, Ref

link = b'{"entity":"account","id":"a","version":1,"operation":"link","related":[{"entity":"contact","id":"c"}]}'
barrier = threading.Barrier(12)
found = []

def first(number):
    barrier.wait()
    for turn in range(3):
        if (number + turn) % 2:
            found.append(decoders.of_json(Change).decode(link).related)
        else:
            found.extend(one.related for one in decoders.of_json(list[Change]).decode(b"[" + link + b"]"))

threads = [threading.Thread(target=first, args=(number,)) for number in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert found == [[Ref("contact", "c")]] * 36
"""


def _typed_outside(file: Path) -> list[int]:
    """Lines that make a plan of a type by themselves."""
    found = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Attribute(value=ast.Name(id="decoders")):
                continue
            case ast.Attribute(attr="Decoder" | "convert") | ast.Name(id="Decoder" | "convert"):
                typed = bool(node.args or node.keywords)
            case ast.Attribute(attr="decode"):
                typed = any(keyword.arg == "type" for keyword in node.keywords)
            case _:
                typed = False
        if typed:
            found.append(node.lineno)
    return found


def test_typed_decoding_goes_through_one_door() -> None:
    files = [file for folder in ("shared", "functions") for file in (ROOT / folder).rglob("*.py") if file != DOOR]
    round_it = {str(file.relative_to(ROOT)): lines for file in files if (lines := _typed_outside(file))}
    assert round_it == {}


def test_the_walk_finds_what_goes_round_the_door(tmp_path: Path) -> None:
    file = tmp_path / "some.py"
    file.write_text(
        "json.decode(b'', type=T)\nmsgpack.Decoder(T)\nconvert({}, T)\nmsgspec.convert({}, T)\njson.decode(b'')\n"
    )
    assert _typed_outside(file) == [1, 2, 3, 4]


def test_threads_that_decode_for_the_first_time_together_do_not_crash() -> None:
    for _ in range(6):
        run = subprocess.run([sys.executable, "-c", START], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (run.returncode, run.stderr) == (0, "")
