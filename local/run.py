"""`python -m local.run up|start|stop|status|load`: the whole app on one machine. `make run` is `up`.

up      start everything, load the sample tenant at the first start, stay until Ctrl-C
start   the same in the background; returns when all is ready
stop    stop what `start` or `up` began
status  who runs; exit code 0 = ready, 3 = not
load    load the sample again into the running stack, moved near today
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from threading import Event, Thread

from local.node import ROOT
from local.sample.changes import sample_changes
from local.sample.loader import (
    LoadError,
    LoadStopped,
    Target,
    find_similar_deals,
    post_all,
    wait_until_answered,
    wait_until_handled,
)
from local.sample.progress import Progress
from local.sample.tenant import build, chosen_records
from local.supervisor import rapport
from local.supervisor.folder import StateFolder, write_private
from local.supervisor.options import Options, parse
from local.supervisor.pieces import Piece, StackError
from local.supervisor.ready import how_to_use, token, widgets_url, write_ready
from local.supervisor.stack import Stack, check_ports
from local.supervisor.supervise import stop_signals, supervise

NOT_READY = 3
POLL_SECONDS = 0.1
STOP_PATIENCE = 90.0  # four pieces, up to 15 s each, and some


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def load_sample(options: Options, stop: Event) -> dict[str, str]:
    """Load all changes and wait until the records worth looking at answer; their ids.

    Raises LoadError, LoadStopped. Loading again, or after a load that was killed, is harmless: changes have ids and versions.
    """
    progress = Progress(sys.stderr)
    tenant = build(datetime.now(UTC).date())
    changes, records = list(sample_changes(tenant)), chosen_records(tenant)
    target = Target(options.base_url, token(options.signin_url, "Rapport.Ingest"), options.status_url)
    try:
        post_all(changes, target, stop, progress)
        wait_until_handled(options.status_url, stop, progress)
    finally:
        progress.finish()
    urls = [widgets_url(options, kind, key) for kind, key in records.items()]
    reader = token(options.signin_url, "Rapport.Reader")
    if "opportunity" in records:  # the round for all deals comes minutes later
        find_similar_deals(options.base_url, records["opportunity"], reader)
    wait_until_answered(urls, reader, stop)
    write_private(StateFolder(options.folder).loaded, {"changes": len(changes), "records": records})
    return records


class Loading(Thread):
    """`load_sample` beside the supervisor, which goes on watching its pieces."""

    def __init__(self, options: Options, stop: Event) -> None:
        super().__init__(name="loading", daemon=True)
        self._options, self._asked_to_stop = options, stop
        self.records: dict[str, str] = {}
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            self.records = load_sample(self._options, self._asked_to_stop)
        except LoadStopped:
            return
        except Exception as error:
            self.failure = error

    def is_done(self) -> bool:
        return not self.is_alive()


def loaded_records(options: Options, folder: StateFolder, stack: Stack) -> dict[str, str]:
    """Load the sample unless this folder has it, or nobody wants it; the ids of the records worth looking at."""
    if folder.loaded.exists():
        records: dict[str, str] = json.loads(folder.loaded.read_text(encoding="utf-8"))["records"]
        return records
    if not options.sample:
        return {}
    stack.say("loading the sample tenant, once")
    loading = Loading(options, stack.stop)
    loading.start()
    stack.watch(loading.is_done)
    if loading.failure:
        raise StackError(f"The sample was not loaded: {loading.failure}") from loading.failure
    return loading.records


def up(options: Options, folder: StateFolder) -> int:
    """Until Ctrl-C or SIGTERM. 0 after an orderly stop, 1 when something is wrong."""

    def begin() -> Iterable[Piece]:
        func = rapport.uses_func(options)
        say(f"host: {'func, of Azure Functions Core Tools' if func else 'the local host'}")
        check_ports(rapport.ports(options, func))
        return rapport.pieces(options, folder, func)

    def announce(stack: Stack) -> None:
        records = loaded_records(options, folder, stack)
        write_ready(folder, options, records, [running.process for running in stack.running])
        say(how_to_use(folder, options, records))

    with stop_signals() as stop:
        return supervise(folder, begin, announce, stop, say)


def start(options: Options, folder: StateFolder) -> int:
    """Begin `up` in a session of its own and pass on what it says until it is ready. 1 when it ends before."""
    if folder.is_locked():
        raise StackError(f"A stack runs in {folder.root} already.")
    folder.create()
    folder.ready.unlink(missing_ok=True)
    log = folder.logs / "supervisor.log"
    with log.open("wb") as output, log.open(encoding="utf-8") as told:
        child = subprocess.Popen(
            [sys.executable, "-m", "local.run", "up"],
            cwd=ROOT,
            env=os.environ | options.environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        while True:
            ended, ready = child.poll() is not None, folder.ready.exists()
            sys.stderr.write(told.read())
            if ended or ready:
                return 0 if ready else 1
            time.sleep(POLL_SECONDS)


def stop(_: Options, folder: StateFolder) -> int:
    """Stop the stack of this folder, also the pieces of a supervisor that was killed. 0 when nothing runs any more."""
    supervisor = folder.supervisor()
    if supervisor is None:
        with folder.locked():
            names = folder.end_leftovers()
        say(f"ended what was left over: {', '.join(names)}" if names else "nothing runs")
        return 0
    supervisor.send(signal.SIGTERM)
    if not supervisor.is_gone_within(STOP_PATIENCE):
        raise StackError(f"The supervisor, process {supervisor.pid}, does not stop.")
    say("stopped")
    return 0


def status(_: Options, folder: StateFolder) -> int:
    """Print who runs. 0 when the stack is ready, else 3."""
    supervisor = folder.supervisor()
    state = "not running" if supervisor is None else "ready" if folder.ready.exists() else "not ready yet"
    print(f"{folder.root}: {state}")
    for process in filter(None, [supervisor, *folder.processes()]):
        print(f"  {process.name:<12} {process.pid:>8}  {'alive' if process.is_alive() else 'dead'}")
    return 0 if state == "ready" else NOT_READY


def load(options: Options, folder: StateFolder) -> int:
    """Load the sample into the stack that runs with these options."""
    if folder.supervisor() is None:
        raise StackError(f"Nothing runs in {folder.root}: `python -m local.run start` first.")
    with stop_signals() as asked:
        records = load_sample(options, asked)
    write_ready(folder, options, records, folder.processes())
    return 0


COMMANDS: Mapping[str, Callable[[Options, StateFolder], int]] = {
    "up": up,
    "start": start,
    "stop": stop,
    "status": status,
    "load": load,
}


def main() -> int:
    command, options = parse(sys.argv[1:], os.environ, tuple(COMMANDS))
    try:
        return COMMANDS[command](options, StateFolder(options.folder))
    except (StackError, LoadError, FileNotFoundError) as error:
        say(str(error))
    except (LoadStopped, KeyboardInterrupt):
        say("interrupted")
    return 1


if __name__ == "__main__":
    sys.exit(main())
