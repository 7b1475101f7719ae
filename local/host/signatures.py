"""The Python worker's rules on a function's signature, with the worker's own words.

Source: what azure-functions-python-worker 4.34 answers while it indexes an app. One function that breaks a rule stops
the whole app there, so it does here.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable
from typing import Any

import azure.functions as func
from azure.functions import meta

from local.host.bindings import Binding
from local.host.errors import HostError


def refuse(function: str, text: str) -> HostError:
    """The error with the worker's prefix."""
    return HostError(f"cannot load the {function} function: {text}")


def check_signature(name: str, call: Callable[..., Any], bindings: Iterable[Binding]) -> None:
    """Compare a function's parameters and annotations with its bindings. Raises HostError at the first difference."""
    parameters: dict[str, Any] = dict(inspect.signature(call).parameters)
    try:
        annotations = typing.get_type_hints(call)
    except Exception as error:
        raise refuse(name, f"its annotations cannot be read: {error}") from error
    returned = next((one for one in bindings if one.name == "$return"), None)
    bound = {one.name: one for one in bindings if one.name != "$return"}
    if "context" not in bound and parameters.pop("context", None) is not None:
        _check_context(name, annotations)
    _check_names(name, set(parameters), set(bound))
    for parameter in parameters:
        if parameter in annotations:
            _check_parameter(name, bound[parameter], annotations[parameter])
    if returned and "return" in annotations:
        _check_return(name, returned, annotations["return"])


def _check_context(name: str, annotations: dict[str, Any]) -> None:
    found = annotations.get("context", func.Context)
    if not isinstance(found, type) or found.__name__ != "Context":
        text = f'the "context" parameter is expected to be of type azure.functions.Context, got {found!r}'
        raise refuse(name, text)


def _check_names(name: str, parameters: set[str], bound: set[str]) -> None:
    if parameters - bound:
        text = f"declared in Python but not in function.json: {parameters - bound!r}"
        raise refuse(name, f"the following parameters are {text}")
    if bound - parameters:
        text = f"declared in function.json but not in Python: {bound - parameters!r}"
        raise refuse(name, f"the following parameters are {text}")


def _is_typing_generic(annotation: Any) -> bool:
    # typing.List[..] and func.Out[..] are; list[..] (types.GenericAlias) and T | None (types.UnionType) are not
    return isinstance(annotation, typing._GenericAlias)  # type: ignore[attr-defined]


def _is_out(annotation: Any) -> bool:
    plain = typing.get_origin(annotation) or annotation
    return isinstance(plain, type) and plain.__name__ == "Out"


def _check_parameter(name: str, binding: Binding, annotation: Any) -> None:
    is_out, taken = _is_out(annotation), annotation
    if is_out:
        arguments = typing.get_args(annotation)
        if len(arguments) != 1:
            raise refuse(name, f"binding {binding.name} has invalid Out annotation {annotation!r}")
        taken = arguments[0]
    if not isinstance(taken, type) and not _is_typing_generic(taken):
        raise refuse(name, f"binding {binding.name} has invalid non-type annotation {annotation!r}")
    _check_direction(name, binding, is_out)
    if not _fits(name, binding, taken):
        raise refuse(
            name,
            f'{binding.name!r} binding type "{binding.type}" and dataType "None" in function.json do not match the '
            f'corresponding function parameter\'s Python type annotation "{taken.__name__}"',
        )
    _check_cardinality(name, binding, taken)


def _check_direction(name: str, binding: Binding, is_out: bool) -> None:
    if binding.is_output and not is_out:
        raise refuse(
            name,
            f'binding {binding.name} is declared to have the "out" direction, but its annotation in Python is not '
            "a subclass of azure.functions.Out",
        )
    if is_out and not binding.is_output:
        raise refuse(
            name,
            f'binding {binding.name} is declared to have the "in" direction in function.json, but its annotation '
            "is azure.functions.Out in Python",
        )


def _converter(binding_type: str) -> Any:
    return meta.get_binding_registry().get(binding_type)  # type: ignore[no-untyped-call]


def _fits(name: str, binding: Binding, taken: Any) -> bool:
    """Ask the converter of azure-functions itself; it fails for typing.Optional and for Out of a list."""
    converter = _converter(binding.type)
    if converter is None:
        return False
    check = converter.check_output_type_annotation if binding.is_output else converter.check_input_type_annotation
    try:
        if typing.get_origin(taken) is typing.Union:
            issubclass(taken, object)  # what the worker itself does to it, and fails
        return bool(check(taken))
    except TypeError as error:
        raise HostError(f"{error} (function {name}, argument {binding.name}: {taken!r})") from error


def _check_cardinality(name: str, binding: Binding, taken: Any) -> None:
    # the worker does not look at this, and the function then fails at its first message
    if binding.type != "serviceBusTrigger" or _is_typing_generic(taken) == binding.is_many:
        return
    cardinality = "many" if binding.is_many else "one"
    raise refuse(name, f"binding {binding.name} has cardinality {cardinality}, which does not fit {taken!r}")


def _check_return(name: str, binding: Binding, annotation: Any) -> None:
    if _is_out(annotation):
        raise refuse(name, "return annotation should not be azure.functions.Out")
    if not isinstance(annotation, type):
        raise refuse(name, f"has invalid non-type return annotation {annotation!r}")
    converter = _converter(binding.type)
    if converter is None or not converter.check_output_type_annotation(annotation):
        text = f'Python return annotation "{annotation.__name__}" does not match binding type "{binding.type}"'
        raise refuse(name, text)
