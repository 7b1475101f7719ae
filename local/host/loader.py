"""Load `function_app.py`, index its functions, and refuse what the Python worker refuses."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from azure.functions import FunctionRegister

from local.host.bindings import OUTPUTS, TRIGGERS, Binding, LoadedFunction, read_binding, read_retry
from local.host.errors import HostError
from local.host.ncrontab import Schedule
from local.host.routes import Template
from local.host.settings import connection_string, expand, is_disabled
from local.host.signatures import check_signature, refuse

log = logging.getLogger("host.loader")

SCRIPT = "function_app.py"


def load_app(root: Path, environ: Mapping[str, str]) -> Any:
    """Import the app's script from `root` and return its one function app.

    The script is `function_app.py`, or what PYTHON_SCRIPT_FILE_NAME names. Raises HostError when it cannot be imported
    or holds no app, or more than one name for an app.
    """
    script = environ.get("PYTHON_SCRIPT_FILE_NAME", SCRIPT)
    if not (root / script).is_file():
        raise HostError(f"{script} is not in {root}")
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    try:
        module = importlib.import_module(Path(script).stem)
    except Exception as error:
        log.exception("%s cannot be imported", script)
        raise HostError(f"{script} cannot be imported: {type(error).__name__}: {error}") from error
    return find_app(module, script)


def find_app(module: ModuleType, script: str = SCRIPT) -> Any:
    """The one function app among a module's names; an alias counts as a second one, a Blueprint does not count."""
    apps = [value for value in vars(module).values() if isinstance(value, FunctionRegister)]
    if not apps:
        raise HostError(f"Could not find top level function app instances in {script}.")
    if len(apps) > 1:
        raise HostError("More than one FunctionApp or other top level function app instances are defined.")
    return apps[0]


def check_app(app: Any, environ: Mapping[str, str] | None = None) -> list[LoadedFunction]:
    """Index an app and check every function by the worker's rules and the local host's own.

    environ: app settings; with them also what names a setting is checked (and functions turned off are left out).
    Works once for an app and process: azure-functions takes a second indexing for names that are not unique.
    Raises HostError with the worker's words at the first rule that is broken.
    """
    try:
        found = app.get_functions()
    except ValueError as error:
        raise HostError(str(error)) from error
    functions = [_read(one) for one in found]
    if environ is None:
        return functions
    functions = [one for one in functions if not is_disabled(one.name, environ)]
    for one in functions:
        _check_settings(one, environ)
    return functions


def _read(found: Any) -> LoadedFunction:
    name = found.get_function_name()
    bindings = [read_binding(one.get_dict_repr()) for one in found.get_bindings()]
    for one in bindings:
        _check_binding(name, one)
    check_signature(name, found.get_user_function(), bindings)
    trigger = read_binding(found.get_trigger().get_dict_repr())
    outputs = [one for one in bindings if one.is_output]
    retry = read_retry(name, found.get_settings_dict("retry_policy"))
    if retry and trigger.type != "timerTrigger":
        log.warning("function %s: its retry policy is ignored, %s has none", name, trigger.type)
    return LoadedFunction(
        name=name,
        call=found.get_user_function(),
        trigger=trigger,
        outputs=tuple(one for one in outputs if one.name != "$return"),
        returned=next((one for one in outputs if one.name == "$return"), None),
        retry=retry if trigger.type == "timerTrigger" else None,
    )


def _check_binding(name: str, binding: Binding) -> None:
    if binding.type not in (OUTPUTS if binding.is_output else TRIGGERS):
        raise refuse(name, f"the local host has no binding of type {binding.type} ({binding.name})")
    if binding.type == "http" and binding.name != "$return":
        raise refuse(name, "the local host takes the HTTP response from $return only")
    if binding.type == "httpTrigger":
        Template(binding.text("route"))
    if binding.type in ("serviceBusTrigger", "serviceBus"):
        _check_service_bus(name, binding)


def _check_service_bus(name: str, binding: Binding) -> None:
    if "topicName" in binding.options:
        raise refuse(name, f"binding {binding.name}: topics are not served, use a queue")
    if binding.options.get("isSessionsEnabled"):
        raise refuse(name, f"binding {binding.name}: sessions are not served")
    if str(binding.options.get("autoCompleteMessages", True)).lower() == "false":
        raise refuse(name, f"binding {binding.name}: auto_complete_messages must not be off, no function can settle")


def _check_settings(function: LoadedFunction, environ: Mapping[str, str]) -> None:
    for binding in (function.trigger, *function.outputs, function.returned):
        if binding and binding.type in ("serviceBusTrigger", "serviceBus"):
            expand(binding.text("queueName"), environ, function.name)
            connection_string(binding.text("connection"), environ, function.name)
    if function.trigger.type == "timerTrigger":
        try:
            Schedule(expand(function.trigger.text("schedule"), environ, function.name))
        except ValueError as error:
            raise HostError(f"function {function.name}: {error}") from error
