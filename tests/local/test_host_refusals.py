"""What the local host refuses at the start: the Python worker's rules, in its words, and a few of its own."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from local.host.errors import HostError
from local.host.loader import check_app, find_app, load_app

Message = func.ServiceBusMessage
Register = Callable[[func.FunctionApp], None]


def one(call: Callable[..., Any], **options: Any) -> func.FunctionApp:
    """An app with one Service Bus function. Options of the trigger; output=NAME adds an output binding."""
    app = func.FunctionApp()
    output = options.pop("output", None)
    trigger = {"arg_name": "msg", "queue_name": "q", "connection": "BUS", **options}
    decorated = app.service_bus_queue_trigger(**trigger)
    if output:
        call = app.service_bus_queue_output(arg_name=output, queue_name="r", connection="BUS")(call)
    decorated(call)
    return app


def http(call: Callable[..., Any], **options: Any) -> func.FunctionApp:
    app = func.FunctionApp()
    app.route(**{"route": "r", **options})(call)
    return app


def refusal(app: func.FunctionApp, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(HostError) as caught:
        check_app(app, environ)
    return str(caught.value)


def test_optional_argument() -> None:
    def f(msg: typing.Optional[Message]) -> None: ...  # noqa: UP045

    text = refusal(one(f))
    assert text.startswith("issubclass() arg 1 must be a class (function f, argument msg")


def test_output_of_a_list() -> None:
    def f(msg: Message, out: func.Out[typing.List[str]]) -> None: ...  # noqa: UP006

    assert refusal(one(f, output="out")).startswith("issubclass() arg 1 must be a class (function f, argument out")


def test_parameter_that_is_no_binding() -> None:
    def f(msg: Message, clock: str = "now") -> None: ...

    expected = "cannot load the f function: the following parameters are declared in Python but not in function.json: "
    assert expected + "{'clock'}" == refusal(one(f))


def test_star_arguments() -> None:
    def f(msg: Message, *args: Any, **kwargs: Any) -> None: ...

    assert "are declared in Python but not in function.json" in refusal(one(f))


def test_binding_without_parameter() -> None:
    def f() -> None: ...

    expected = "cannot load the f function: the following parameters are declared in function.json but not in Python: "
    assert expected + "{'msg'}" == refusal(one(f))


def test_builtin_list() -> None:
    def f(msg: list[func.ServiceBusMessage]) -> None: ...

    text = refusal(one(f, cardinality="many"))
    assert text.startswith("cannot load the f function: binding msg has invalid non-type annotation list[")


def test_union_with_none() -> None:
    def f(msg: Message | None) -> None: ...

    assert (
        "binding msg has invalid non-type annotation azure.functions._servicebus.ServiceBusMessage | None"
        in refusal(one(f))
    )


def test_annotation_of_another_binding() -> None:
    def f(msg: func.TimerRequest) -> None: ...

    assert refusal(one(f)) == (
        'cannot load the f function: \'msg\' binding type "serviceBusTrigger" and dataType "None" in function.json do '
        'not match the corresponding function parameter\'s Python type annotation "TimerRequest"'
    )


def test_list_of_another_class() -> None:
    def f(msg: typing.List[int]) -> None: ...  # noqa: UP006

    assert 'Python type annotation "List"' in refusal(one(f, cardinality="many"))


def test_output_that_is_not_out() -> None:
    def f(msg: Message, out: str) -> None: ...

    assert refusal(one(f, output="out")) == (
        'cannot load the f function: binding out is declared to have the "out" direction, but its annotation in Python '
        "is not a subclass of azure.functions.Out"
    )


def test_input_that_is_out() -> None:
    def f(msg: func.Out[str]) -> None: ...

    assert refusal(one(f)) == (
        'cannot load the f function: binding msg is declared to have the "in" direction in function.json, but its '
        "annotation is azure.functions.Out in Python"
    )


def test_context_of_another_class() -> None:
    def f(msg: Message, context: str) -> None: ...

    assert refusal(one(f)) == (
        'cannot load the f function: the "context" parameter is expected to be of type azure.functions.Context, got '
        "<class 'str'>"
    )


def http_or_none(req: func.HttpRequest) -> func.HttpResponse | None: ...


def http_optional(req: func.HttpRequest) -> typing.Optional[func.HttpResponse]: ...  # noqa: UP045


@pytest.mark.parametrize("call", [http_or_none, http_optional])
def test_http_result_that_may_be_none(call: Callable[..., Any]) -> None:
    text = refusal(http(call))
    assert text.startswith(f"cannot load the {call.__name__} function: has invalid non-type return annotation ")


def test_http_result_none() -> None:
    def f(req: func.HttpRequest) -> None: ...

    assert 'Python return annotation "NoneType" does not match binding type "http"' in refusal(http(f))


def test_names_must_be_unique() -> None:
    app = func.FunctionApp()
    for route in ("a", "b"):

        @app.route(route=route)
        def f(req: func.HttpRequest) -> str: ...

    assert refusal(app) == (
        "Function f does not have a unique function name. Please change @app.function_name() or the function method "
        "name to be unique."
    )


def many_but_one(msg: Message) -> None: ...


def one_but_many(msg: typing.List[func.ServiceBusMessage]) -> None: ...  # noqa: UP006


@pytest.mark.parametrize(
    ("call", "options", "reason"),
    [
        (many_but_one, {"cardinality": "many"}, "has cardinality many, which does not fit"),
        (one_but_many, {}, "has cardinality one, which does not fit"),
        (many_but_one, {"is_sessions_enabled": True}, "sessions are not served"),
        (many_but_one, {"auto_complete_messages": False}, "auto_complete_messages must not be off"),
    ],
)
def test_own_rules_on_triggers(call: Callable[..., Any], options: dict[str, Any], reason: str) -> None:
    assert reason in refusal(one(call, **options))


def test_topics_are_refused() -> None:
    app = func.FunctionApp()

    @app.service_bus_topic_trigger(arg_name="msg", topic_name="t", subscription_name="s", connection="BUS")
    def f(msg: Message) -> None: ...

    assert "topics are not served" in refusal(app)


def test_other_bindings_are_refused_by_name() -> None:
    app = func.FunctionApp()

    @app.blob_trigger(arg_name="blob", path="a/{b}", connection="BLOBS")
    def f(blob: func.InputStream) -> None: ...

    assert "no binding of type blobTrigger" in refusal(app)


def test_settings_that_are_not_set() -> None:
    def f(msg: Message) -> None: ...

    def g(timer: func.TimerRequest) -> None: ...

    timer = func.FunctionApp()
    timer.timer_trigger(arg_name="timer", schedule="%NIGHTLY%")(g)
    assert "function f: the app setting QUEUE is named in '%QUEUE%' and is not set" in refusal(
        one(f, queue_name="%QUEUE%"), {"BUS": "Endpoint=sb://x"}
    )
    assert "function f: the app setting BUS (a connection) is not set" in refusal(one(f), {})
    assert "identity form" in refusal(one(f), {"BUS__fullyQualifiedNamespace": "x.servicebus.windows.net"})
    assert "function g: the app setting NIGHTLY" in refusal(timer, {})


def test_schedule_that_cannot_be_read() -> None:
    def g(timer: func.TimerRequest) -> None: ...

    app = func.FunctionApp()
    app.timer_trigger(arg_name="timer", schedule="0 0 0 * * 7")(g)
    assert "function g: schedule '0 0 0 * * 7': weekday 7" in refusal(app, {})


def test_function_that_is_turned_off_needs_no_settings() -> None:
    def f(msg: Message) -> None: ...

    assert check_app(one(f), {"AzureWebJobs.f.Disabled": "1"}) == []


def twice(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **kwargs)

    return wrapper


def sequence(msg: typing.Sequence[func.ServiceBusMessage]) -> None: ...


def unannotated(msg, context): ...  # type: ignore[no-untyped-def]


def keyword_only(*, msg: Message, context: func.Context) -> None: ...


@pytest.mark.parametrize(
    ("call", "options"),
    [
        (one_but_many, {"cardinality": "many"}),
        (sequence, {"cardinality": "many"}),
        (unannotated, {}),
        (keyword_only, {}),
    ],
)
def test_accepted_triggers(call: Callable[..., Any], options: dict[str, Any]) -> None:
    assert [call.__name__] == [loaded.name for loaded in check_app(one(call, **options))]


def test_accepted_http_functions() -> None:
    app = func.FunctionApp()

    @app.route(route="a")
    @twice
    def wrapped(req: func.HttpRequest, context: func.Context) -> func.HttpResponse: ...

    @app.route(route="b")
    def text(req: func.HttpRequest) -> str: ...

    @app.route(route="c")
    def bare(req): ...  # type: ignore[no-untyped-def]

    assert [loaded.name for loaded in check_app(app)] == ["wrapped", "text", "bare"]


def module(**names: Any) -> types.ModuleType:
    made = types.ModuleType("function_app")
    vars(made).update(names)
    return made


def test_exactly_one_name_holds_an_app() -> None:
    app = func.FunctionApp()
    assert app is find_app(module(app=app, parts=func.Blueprint()))
    with pytest.raises(HostError, match=r"Could not find top level function app instances in function_app\.py\."):
        find_app(module(parts=func.Blueprint()))
    with pytest.raises(HostError, match="More than one FunctionApp or other top level function app instances"):
        find_app(module(app=app, alias=app))


def test_script_that_is_missing_or_broken(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"main_app\.py is not in"):
        load_app(tmp_path, {"PYTHON_SCRIPT_FILE_NAME": "main_app.py"})
    (tmp_path / "broken_app_for_refusal.py").write_text("import nothing_of_that_name")
    with pytest.raises(HostError, match=r"cannot be imported: ModuleNotFoundError: No module named 'nothing_of"):
        load_app(tmp_path, {"PYTHON_SCRIPT_FILE_NAME": "broken_app_for_refusal.py"})
