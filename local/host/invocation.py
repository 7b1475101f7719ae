"""One call of a function: its context and outputs, the thread pool, and the worker's rules on what comes back."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import azure.functions as func

from local.host.bindings import Binding, LoadedFunction
from local.host.errors import HostError

log = logging.getLogger("host.invocation")

Send = Callable[[LoadedFunction, Binding, "str | bytes"], Awaitable[None]]


class TraceContext:
    """W3C trace context; empty texts when the caller sent none."""

    def __init__(self, parent: str = "", state: str = "") -> None:
        self._parent, self._state = parent, state

    @property
    def trace_parent(self) -> str:
        return self._parent

    @property
    def trace_state(self) -> str:
        return self._state

    @property
    def attributes(self) -> dict[str, str]:
        return {}


@dataclass(frozen=True)
class Failure:
    """The exception of the try before, as a retry sees it."""

    source: str
    stack_trace: str
    message: str


@dataclass(frozen=True)
class RetryContext:
    """Which retry a call is: retry_count 0 is the first try. max_retry_count -1 is endless."""

    retry_count: int
    max_retry_count: int
    exception: Failure | None = None


class Context(func.Context):
    """What a function's `context` parameter receives."""

    def __init__(self, function: str, directory: str, trace: TraceContext, retry: RetryContext | None) -> None:
        self._invocation_id = str(uuid.uuid4())
        self._function, self._directory, self._trace, self._retry = function, directory, trace, retry

    @property
    def invocation_id(self) -> str:
        return self._invocation_id

    @property
    def thread_local_storage(self) -> Any:
        return _thread_storage

    @property
    def function_name(self) -> str:
        return self._function

    @property
    def function_directory(self) -> str:
        return self._directory

    @property
    def trace_context(self) -> Any:
        return self._trace

    @property
    def retry_context(self) -> Any:
        return self._retry


_thread_storage = threading.local()


class Out(func.Out[Any]):
    """An output parameter: holds what the function sets, last value wins."""

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        self._value = val

    def get(self) -> Any:
        return self._value


def pool_size(environ: Mapping[str, str]) -> int:
    """Threads for functions that are not async: PYTHON_THREADPOOL_THREAD_COUNT, else cores + 4, at most 32."""
    text = environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
    if not text:
        return min(32, (os.cpu_count() or 1) + 4)
    if not text.isdecimal() or not 1 <= int(text) <= 32767:
        raise HostError(f"PYTHON_THREADPOOL_THREAD_COUNT {text!r} is no number of threads")
    return int(text)


def _in_thread(call: Callable[..., Any], invocation_id: str, arguments: dict[str, Any]) -> Any:
    _thread_storage.invocation_id = invocation_id
    return call(**arguments)


@dataclass
class Invoker:
    """Calls functions. running: calls in progress, by invocation id.

    root: the app's folder. send: sends what an output binding was given.
    """

    root: str
    threads: int
    send: Send
    running: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="function")
        self._idle = asyncio.Event()
        self._idle.set()

    async def call(
        self,
        function: LoadedFunction,
        value: Any,
        *,
        trace: TraceContext | None = None,
        retry: RetryContext | None = None,
    ) -> Any:
        """Call a function with its trigger's value and send its outputs; returns what `$return` takes, else None.

        Raises what the function raises, TypeError and RuntimeError for results that the worker does not take.
        """
        context = Context(function.name, self.root, trace or TraceContext(), retry)
        outs = {binding.name: Out() for binding in function.outputs}
        arguments: dict[str, Any] = {function.trigger.name: value, **outs}
        if function.wants_context:
            arguments["context"] = context
        self.running[context.invocation_id] = function.name
        self._idle.clear()
        started = time.perf_counter()
        try:
            result = await self._run(function, context, arguments)
            checked_result(function, result)
            await self._send_outputs(function, outs, result)
        except Exception:
            log.exception("Executed %s (Failed, Id=%s)", function.name, context.invocation_id)
            raise
        finally:
            del self.running[context.invocation_id]
            if not self.running:
                self._idle.set()
        if log.isEnabledFor(logging.DEBUG):
            spent = (time.perf_counter() - started) * 1000
            log.debug("Executed %s (Succeeded, Id=%s, %.1f ms)", function.name, context.invocation_id, spent)
        return result

    async def _run(self, function: LoadedFunction, context: Context, arguments: dict[str, Any]) -> Any:
        if function.is_async:
            # a task of its own, so that context variables set inside stay inside
            return await asyncio.create_task(function.call(**arguments), name=function.name)
        variables = contextvars.copy_context()
        call = partial(variables.run, _in_thread, function.call, context.invocation_id, arguments)
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    async def _send_outputs(self, function: LoadedFunction, outs: dict[str, Out], result: Any) -> None:
        for binding in function.outputs:
            if outs[binding.name].get() is not None:
                await self.send(function, binding, _message_body(outs[binding.name].get()))
        if function.returned and function.returned.type == "serviceBus" and result is not None:
            await self.send(function, function.returned, _message_body(result))

    async def all_ended(self) -> None:
        """Until no call is in progress."""
        await self._idle.wait()

    def close(self) -> None:
        """Let idle threads go; a call that still runs is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def checked_result(function: LoadedFunction, result: Any) -> None:
    """Refuse a result as the worker does. Raises RuntimeError or TypeError."""
    if function.returned is None:
        if result is not None:
            # no space before "returned": so it stands in the worker
            raise RuntimeError(f"function {function.name!r} without a $return bindingreturned a non-None value")
    elif function.returned.type == "http" and not isinstance(result, func.HttpResponse | str):
        raise TypeError(
            "unable to encode outgoing TypedData: unsupported type "
            f'"{function.returned.type}" for Python type "{type(result).__name__}"'
        )


def _message_body(value: Any) -> str | bytes:
    if isinstance(value, str | bytes):
        return value
    # under Out[str] the worker would send a list as one JSON text, which nobody means
    raise TypeError(f"a Service Bus output takes str or bytes, one message; got {type(value).__name__}")
