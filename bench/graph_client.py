"""What the webhook and the mailbox worker load and need, beside a naive use of the Graph SDK's models.

Each runs in a fresh process: imports, the client, then 100 notifications or 500 messages as Graph sends them. The least CPU
time of the rounds counts. The naive way reads the same messages by the SDK's own parser into its models.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.measure import show

ROOT = Path(__file__).resolve().parent.parent
MESSAGES, NOTIFICATIONS = 500, 100
_SETTINGS = {
    "GRAPH_TENANT_ID": "t", "GRAPH_CLIENT_ID": "c", "GRAPH_CLIENT_SECRET": "s", "TENANT_DOMAINS": "us.example",
    "PERSON_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
}  # fmt: skip

_PAGE = """
import json
party = lambda address: {"emailAddress": {"name": "", "address": address}}
page = json.dumps({"value": [
    {"id": f"AAkALgAA{n}=", "internetMessageId": f"<{n}@cust.example>", "conversationId": f"c{n}",
     "sentDateTime": "2026-03-02T10:00:59Z", "receivedDateTime": "2026-03-02T10:01:00Z", "from": party("kim@cust.example"),
     "sender": party("kim@cust.example"), "toRecipients": [party("anna@us.example")], "ccRecipients": [], "isDraft": False,
     "inferenceClassification": "focused"} for n in range(MESSAGES)]}).encode()
""".replace("MESSAGES", str(MESSAGES))

_WAYS = {
    "webhook": f"""
import json
items = [{{"subscriptionId": "s", "clientState": "x", "tenantId": "t", "changeType": "created",
          "resourceData": {{"id": str(n)}}}} for n in range({NOTIFICATIONS})]
body = json.dumps({{"value": items}}).encode()
begin()
import functions.graph_webhook
from shared.graph import notifications
begin_work()
assert len(notifications.parse(body)) == {NOTIFICATIONS}
""",
    "worker": _PAGE
    + f"""
begin()
import functions.graph_workers
from shared.graph import reading, runs
from shared.graph.client import graph
graph()
from shared.graph.mail import mail_copy
begin_work()
found = [mail_copy(message, "m", "anna@us.example") for message in json.loads(page)["value"]]
assert len(found) == {MESSAGES} and all(found)
""",
    "naive use of models": _PAGE
    + f"""
begin()
import asyncio
from azure.core.credentials import AccessToken
from msgraph import GraphServiceClient
class Credential:
    def get_token(self, *scopes, **options): return AccessToken("t", 1 << 40)
client = GraphServiceClient(Credential())
client.users.by_user_id("u").mail_folders.by_mail_folder_id("inbox").messages
from kiota_serialization_json.json_parse_node_factory import JsonParseNodeFactory
from msgraph.generated.models.message_collection_response import MessageCollectionResponse
begin_work()
node = JsonParseNodeFactory().get_root_parse_node("application/json", page)
found = node.get_object_value(MessageCollectionResponse).value
assert len(found) == {MESSAGES} and found[0].from_.email_address.address == "kim@cust.example"
""",
}
_FRAME = """
import sys, time
marks = []
def begin(): marks.append(time.process_time())
begin_work = begin
{way}
end = time.process_time()
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
models = sum(name.startswith("msgraph.") for name in sys.modules)
print((marks[1] - marks[0]) * 1e3, (end - marks[1]) * 1e3, int(status["VmHWM"].split()[0]) / 1024, len(sys.modules), models)
"""


def run_once(way: str) -> tuple[float, float, float, int, int]:
    """CPU milliseconds of loading and of the work, MiB at the peak, modules, and modules of msgraph, in a fresh process."""
    code = _FRAME.replace("{way}", _WAYS[way])
    environ = {**os.environ, **_SETTINGS}
    load, work, peak, modules, sdk = subprocess.check_output(
        [sys.executable, "-c", code], cwd=ROOT, env=environ, text=True
    ).split()
    return float(load), float(work), float(peak), int(modules), int(sdk)


def compare(rounds: int) -> list[list[object]]:
    """One line a way, of its round with the least CPU time."""
    runs = {way: min((run_once(way) for _ in range(rounds)), key=lambda run: run[0] + run[1]) for way in _WAYS}
    return [[way, *run] for way, run in runs.items()]


def main(rounds: int = 3) -> None:
    """Print the table."""
    show(("", "CPU ms to load", "CPU ms of work", "peak MiB", "modules", "of msgraph"), compare(rounds))
    print(f"work: {NOTIFICATIONS} notifications, or a page of {MESSAGES} messages")
