"""Below the client: damaged frames end their own connection and nothing else, and trouble can be asked for."""

from __future__ import annotations

import base64
import gc
import hashlib
import hmac
import json
import random
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote_plus
from uuid import uuid4

import pytest
from azure.servicebus import ServiceBusMessage, ServiceBusReceiver
from azure.servicebus.exceptions import MessageLockLostError, ServiceBusServerBusyError

from local.bus import frames
from local.bus.codec import encode
from local.bus.frames import Frame, frame, outcome, take_frame
from local.bus.messages import APPLICATION, DATA, PROPERTIES, VALUE, section
from local.bus.values import Described, Symbol, Ubyte, Uint, Ulong
from tests.local.bus_process import KEY, Desk, RunningBus, running_bus, write_queues

ROUNDS = 250


@pytest.fixture(scope="module")
def desk(bus: RunningBus) -> Iterator[Desk]:
    with Desk(bus, retry_total=2, retry_backoff_factor=0.01) as desk:
        yield desk


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBus]:
    folder = tmp_path_factory.mktemp("wire")
    with running_bus(folder / "state", write_queues(folder, ["work", "fuzz"])) as bus:
        yield bus


def _token() -> str:
    resource, end = quote_plus("sb://localhost/fuzz"), int(time.time()) + 600
    signature = base64.b64encode(hmac.new(KEY.encode(), f"{resource}\n{end}".encode(), hashlib.sha256).digest())
    return f"SharedAccessSignature sr={resource}&sig={quote_plus(signature)}&se={end}&skn=RootManageSharedAccessKey"


def _attach(name: str, handle: int, *, is_receiver: bool, source: str, target: str) -> bytes:
    ends = [Described(Ulong(frames.SOURCE), [source]), Described(Ulong(frames.TARGET), [target])]
    modes = [Ubyte(0), Ubyte(1)]
    return frame(frames.ATTACH, [name, Uint(handle), is_receiver, *modes, *ends, None, None, Uint(0)], 1)


def _transfer(handle: int, number: int, payload: bytes) -> bytes:
    return frame(frames.TRANSFER, [Uint(handle), Uint(number), b"tag", Uint(0), False, False], 1, payload)


def _flow(handle: int, credit: int) -> bytes:
    windows = [Uint(0), Uint(65_536), Uint(0), Uint(65_536)]
    return frame(frames.FLOW, [*windows, Uint(handle), Uint(0), Uint(credit), None, False, False], 1)


def _request(operation: str, body: object) -> bytes:
    return section(PROPERTIES, [uuid4()]) + section(APPLICATION, {"operation": operation}) + section(VALUE, body)


def conversation() -> tuple[bytes, bytes]:
    """A whole visit of a client, every kind of frame in it, sent without waiting: its headers, and its frames."""
    dead_letter = Described(Ulong(frames.ERROR), [Symbol("com.microsoft:dead-letter"), None, {}])
    parts = [
        frame(frames.OPEN, ["fuzz", "localhost", Uint(65_536), None, None]),
        frame(frames.BEGIN, [None, Uint(0), Uint(65_536), Uint(65_536), Uint(255)], 1),
        _attach("cbs-in", 0, is_receiver=True, source="$cbs", target="$cbs"),
        _attach("cbs-out", 1, is_receiver=False, source="$cbs", target="$cbs"),
        _flow(0, 10),
        _transfer(1, 0, _request("put-token", _token())),
        _attach("send", 2, is_receiver=False, source="me", target="amqps://localhost/fuzz"),
        *(_transfer(2, n, section(PROPERTIES, [f"{uuid4()}"]) + section(DATA, b"body")) for n in range(1, 5)),
        _attach("receive", 3, is_receiver=True, source="amqps://localhost/fuzz", target="me"),
        _flow(3, 4),
        _attach("m-in", 4, is_receiver=True, source="fuzz/$management", target="me"),
        _attach("m-out", 5, is_receiver=False, source="me", target="fuzz/$management"),
        _flow(4, 10),
        _transfer(5, 5, _request("com.microsoft:peek-message", {"from-sequence-number": 0, "message-count": Uint(9)})),
        frame(frames.DISPOSITION, [True, Uint(0), Uint(1), False, outcome(frames.ACCEPTED)], 1),
        frame(frames.DISPOSITION, [True, Uint(2), None, False, outcome(frames.REJECTED, [dead_letter])], 1),
        frame(frames.DISPOSITION, [True, Uint(3), None, False, outcome(frames.MODIFIED, [True, True])], 1),
        frame(frames.DETACH, [Uint(2), True], 1),
        frame(frames.END, [], 1),
        frame(frames.CLOSE, []),
    ]
    sasl = frame(frames.SASL_INIT, [Symbol("ANONYMOUS")], frame_type=frames.SASL)
    return frames.SASL_HEADER + sasl + frames.AMQP_HEADER, b"".join(parts)


def _visit(bus: RunningBus, data: bytes) -> bytes:
    """Send all of it, and read until the other side hangs up."""
    with socket.create_connection(("127.0.0.1", bus.port), timeout=60) as peer:
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        answer = bytearray()
        try:
            while piece := peer.recv(65_536):
                answer += piece
        except ConnectionResetError:
            pass  # it hung up while we were still talking
    return bytes(answer)


def _frames(answer: bytes) -> list[Frame]:
    buffer, found = bytearray(answer[8:]), []
    while buffer:
        if buffer.startswith(b"AMQP"):
            del buffer[:8]
            continue
        size = int.from_bytes(buffer[:4], "big")
        if buffer[5] == frames.AMQP:
            one, _ = take_frame(buffer)
            assert one is not None
            found.append(one)
        del buffer[:size]
    return found


def _works(desk: Desk) -> None:
    desk.sender("work").send_messages(ServiceBusMessage("still here"))
    assert _take(desk.receiver("work"), 1) == ["still here"]


def _take(receiver: ServiceBusReceiver, count: int) -> list[str]:
    texts: list[str] = []
    while len(texts) < count:
        for message in receiver.receive_messages(count, max_wait_time=60):
            receiver.complete_message(message)
            texts.append(str(message))
    return texts


def test_the_undamaged_conversation_is_served_to_its_end(bus: RunningBus) -> None:
    answers = _frames(_visit(bus, b"".join(conversation())))
    kinds = [answer.kind for answer in answers]
    outcomes = [answer.fields[4].descriptor for answer in answers if answer.kind == frames.DISPOSITION]
    assert kinds.count(frames.ATTACH) == 6
    assert outcomes.count(frames.ACCEPTED) >= 6  # the token, four messages, one request
    assert [kinds[-2], kinds[-1]] == [frames.END, frames.CLOSE]
    assert answers[-1].fields == [None]


def test_damaged_frames_end_their_own_connection_and_nothing_else(bus: RunningBus, desk: Desk) -> None:
    chance = random.Random(7)
    for _ in range(ROUNDS):
        head, body = conversation()
        damaged = bytearray(body)
        for _ in range(chance.choice((1, 1, 2, 8))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        _visit(bus, head + bytes(damaged[: chance.choice((len(damaged), chance.randrange(len(damaged)))) or 1]))
    assert bus.process.poll() is None
    assert not [line for line in bus.log if "Fatal error" in line or "cannot write" in line]
    _works(desk)


def test_fields_of_the_wrong_type_end_the_connection(bus: RunningBus, desk: Desk) -> None:
    """Well-formed values in the wrong places, which a flipped byte seldom makes."""
    wrong = [None, "text", b"bytes", [], {}, -1, 1.5, Uint(2**32 - 1), True]
    head, _ = conversation()
    opening = frame(frames.OPEN, ["x"]) + frame(frames.BEGIN, [None, Uint(0), Uint(9), Uint(9)], 1)
    for kind in (
        frames.OPEN,
        frames.BEGIN,
        frames.ATTACH,
        frames.FLOW,
        frames.TRANSFER,
        frames.DISPOSITION,
        frames.DETACH,
    ):
        for value in wrong:
            _visit(bus, head + opening + frame(kind, [value] * 5, 1))
    assert not [line for line in bus.log if "Fatal error" in line]
    _works(desk)


@pytest.mark.parametrize(
    ("start", "says"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", "TLS is not served"),
        (b"GET / HTTP/1.1\r\n\r\n", "HTTP is not served"),
        (b"SSH-2.0-x\r\n", "not an AMQP 1.0 header"),
    ],
)
def test_another_protocol_is_told_so(bus: RunningBus, start: bytes, says: str) -> None:
    assert says.encode() in _visit(bus, start)


def test_without_a_token_no_queue_opens(bus: RunningBus) -> None:
    head, _ = conversation()
    opening = frame(frames.OPEN, ["x"]) + frame(frames.BEGIN, [None, Uint(0), Uint(9), Uint(9)], 1)
    link = _attach("send", 2, is_receiver=False, source="me", target="fuzz")
    attached, detached = _frames(_visit(bus, head + opening + link))[-2:]
    assert attached.fields[6] is None
    assert detached.fields[2].value[0] == "amqp:unauthorized-access"
    assert len(detached.fields[2].value) == 3  # the client fails on an error with fewer


def _delivery(bus: RunningBus, bodies: list[bytes], *, max_frame: int = 65_536, window: int = 9999) -> list[Frame]:
    """Send these bodies; the transfers that a client with this frame size and session window gets, removed at once."""
    head, _ = conversation()
    opening = frame(frames.OPEN, ["x", None, Uint(max_frame)])
    opening += frame(frames.BEGIN, [None, Uint(0), Uint(window), Uint(9)], 1)
    links = _attach("cbs-in", 0, is_receiver=True, source="$cbs", target="$cbs")
    links += _attach("cbs-out", 1, is_receiver=False, source="$cbs", target="$cbs")
    links += _transfer(1, 0, _request("put-token", _token()))  # no credit: its reply takes none of the window
    links += _attach("send", 2, is_receiver=False, source="me", target="fuzz")
    links += b"".join(_transfer(2, n, section(DATA, body)) for n, body in enumerate(bodies, 1))
    source = Described(Ulong(frames.SOURCE), ["fuzz"])
    target = Described(Ulong(frames.TARGET), ["me"])
    links += frame(frames.ATTACH, ["take", Uint(3), True, Ubyte(1), Ubyte(0), source, target], 1)
    links += frame(frames.FLOW, [Uint(0), Uint(window), Uint(0), Uint(9), Uint(3), Uint(0), Uint(900)], 1)
    return [one for one in _frames(_visit(bus, head + opening + links)) if one.kind == frames.TRANSFER]


def _empty(bus: RunningBus) -> None:
    _delivery(bus, [])
    assert bus.depths("fuzz")["active"] == 0


def test_the_clients_frame_size_is_kept(bus: RunningBus) -> None:
    _empty(bus)
    got = _delivery(bus, [b"x" * 2000], max_frame=512)
    assert len(got) >= 4
    assert all(len(one.payload) < 512 for one in got)
    assert [one.fields[5] for one in got] == [True] * (len(got) - 1) + [False]
    assert b"".join(one.payload for one in got).endswith(b"x" * 2000)


def test_the_clients_session_window_is_kept(bus: RunningBus) -> None:
    _empty(bus)
    assert len(_delivery(bus, [b"x"] * 5, window=2)) == 2
    assert bus.depths("fuzz")["active"] == 3  # not handed out to a client that cannot take them
    _empty(bus)


def test_a_coordinator_is_refused(bus: RunningBus) -> None:
    head, _ = conversation()
    opening = frame(frames.OPEN, ["x"]) + frame(frames.BEGIN, [None, Uint(0), Uint(9), Uint(9)], 1)
    ends = [Described(Ulong(frames.SOURCE), ["me"]), Described(Ulong(frames.COORDINATOR), [])]
    answers = _frames(
        _visit(bus, head + opening + frame(frames.ATTACH, ["t", Uint(0), False, Ubyte(0), Ubyte(0), *ends], 1))
    )
    assert answers[-1].fields[2].value[:2] == ["amqp:not-implemented", "Transactions are not served here."]


def test_an_unserved_management_operation_says_so(bus: RunningBus) -> None:
    head, body = conversation()
    swapped = body.replace(encode("com.microsoft:peek-message"), encode("com.microsoft:sing-message"))
    assert swapped != body
    assert b"'sing-message' is not served here." in _visit(bus, head + swapped)


# Trouble on request


def _ask(bus: RunningBus, method: str, path: str) -> dict[str, object]:
    request = urllib.request.Request(f"{bus.status_url}{path}", method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, object] = json.load(answer)
    return found


def test_a_refused_send_is_sent_again_by_the_client(desk: Desk) -> None:
    sender = desk.sender("work")
    sender.send_messages(ServiceBusMessage("first"))
    _ask(desk.bus, "POST", "/faults?operation=send&nth=2")
    sender.send_messages(ServiceBusMessage("second"))
    sender.send_messages(ServiceBusMessage("third"))
    assert _take(desk.receiver("work"), 3) == ["first", "second", "third"]
    for nth in (1, 2, 3):
        _ask(desk.bus, "POST", f"/faults?operation=send&nth={nth}")
    with pytest.raises(ServiceBusServerBusyError):
        sender.send_messages(ServiceBusMessage("refused"))
    assert desk.bus.depths("work")["active"] == 0


def test_an_answer_can_be_late(desk: Desk) -> None:
    desk.sender("work").send_messages(ServiceBusMessage("on time"))
    _ask(desk.bus, "POST", "/faults?operation=send&delay=0.5")
    start = time.monotonic()
    desk.sender("work").send_messages(ServiceBusMessage("late"))
    assert time.monotonic() - start >= 0.45
    assert _take(desk.receiver("work"), 2) == ["on time", "late"]


@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
def test_the_client_comes_back_after_a_dropped_connection_or_a_detached_link(desk: Desk) -> None:
    sender, receiver = desk.sender("work"), desk.receiver("work")
    sender.send_messages(ServiceBusMessage("before"))
    # Idle since before the next second: it has sent within this millisecond.
    assert _ask(desk.bus, "POST", "/detach-idle-senders?seconds=-1") == {"detached": 1}
    sender.send_messages(ServiceBusMessage("after the detach"))
    assert receiver.peek_messages(1)  # so that it has a connection to lose
    assert _ask(desk.bus, "POST", "/drop-connections") == {"dropped": 2}
    sender.send_messages(ServiceBusMessage("after the drop"))
    assert _take(receiver, 3) == ["before", "after the detach", "after the drop"]
    gc.collect()  # the client leaves the socket of a lost connection to the collector


def test_emptied_queues_are_as_new_and_stay_so(tmp_path: Path) -> None:
    queues = write_queues(tmp_path, [{"name": "work", "requiresDuplicateDetection": True}])
    later = datetime.now(UTC) + timedelta(hours=1)
    with running_bus(tmp_path / "state", queues) as first, Desk(first) as desk:
        sender, receiver = desk.sender("work"), desk.receiver("work")
        sender.send_messages([ServiceBusMessage(text, message_id=text) for text in ("locked", "dead", "ready")])
        sender.schedule_messages(ServiceBusMessage("later", message_id="later"), later)
        locked, dead = receiver.receive_messages(2, max_wait_time=30)
        receiver.dead_letter_message(dead)
        assert _ask(first, "POST", "/empty") == {"dropped": 4}
        assert set(first.depths("work").values()) == {0}
        with pytest.raises(MessageLockLostError):
            receiver.complete_message(locked)
        sender.send_messages(ServiceBusMessage("again", message_id="ready"))
        assert _take(receiver, 1) == ["again"]
    with running_bus(tmp_path / "state", queues) as second, Desk(second) as desk:
        assert set(second.depths("work").values()) == {0}
        desk.sender("work").send_messages(ServiceBusMessage("once more", message_id="later"))
        assert _take(desk.receiver("work"), 1) == ["once more"]


def test_the_status_server_refuses_what_it_does_not_know(bus: RunningBus) -> None:
    for path, status in (("/nothing", 404), ("/faults?operation=sing", 400), ("/faults?operation=send&nth=x", 400)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            _ask(bus, "POST", path)
        assert refused.value.code == status
        refused.value.close()
