"""Alerts and workbook: queries that can be read, that name what exists, for each promise one."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from shared import delays
from tests.infra import kql
from tests.infra.evaluate import Deployment, evaluate
from tests.infra.functions_of_app import bindings, declared

ROOT = Path(__file__).resolve().parents[2]
ALERTS: list[dict[str, Any]] = json.loads((ROOT / "infra/alerts.json").read_text())["alerts"]
# Messages of the Functions host itself that queries look for; ours are read from the code.
OF_THE_HOST = {"Host started"}
WINDOWS = {"PT5M", "PT10M", "PT15M", "PT30M", "PT45M", "PT1H", "PT2H", "PT3H", "PT4H", "PT5H", "PT6H", "P1D", "P2D"}
# As Azure Monitor lists them, by namespace.
METRICS = {
    "microsoft.servicebus/namespaces": {
        "ActiveMessages", "ScheduledMessages", "DeadletteredMessages", "IncomingMessages", "IncomingRequests", "Messages",
    },
    "microsoft.web/sites": {
        "OnDemandFunctionExecutionUnits", "OnDemandFunctionExecutionCount", "AlwaysReadyFunctionExecutionUnits",
        "AlwaysReadyFunctionExecutionCount", "AlwaysReadyUnits",
    },
    "microsoft.storage/storageaccounts/tableservices": {"Transactions"},
}  # fmt: skip


def workbook() -> dict[str, Any]:
    return dict(json.loads((ROOT / "infra/workbook.json").read_text()))


def queries() -> dict[str, str]:
    found = {f"alert {one['name']}": "\n".join(one["query"]) for one in ALERTS}
    for item in workbook()["items"]:
        if item["type"] == 3:
            found[f"workbook {item['name']}"] = item["content"]["query"]
    return found


def logged() -> set[str]:
    """The texts that the app logs, read from the code: first arguments of `_log.<level>(...)`."""
    found = set()
    for path in (ROOT / "shared").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
                owner, first = node.func.value, node.args[0]
                if isinstance(owner, ast.Name) and owner.id.endswith("log") and isinstance(first, ast.Constant):
                    found.add(str(first.value))
    return found


def parsed(query: str, start: str) -> list[str]:
    """The texts between which a query takes values out of a message that begins with `start`, without the first."""
    found = re.findall(rf"parse Message with '{re.escape(start)}'([^|]*)", query)
    return re.findall(r"'([^']*)'", found[0]) if found else []


def literal_parts(text: str) -> list[str]:
    """The texts between the values of a log line, without the first.

    >>> literal_parts("delays: %s p95 %.1f s, %d messages")
    [' p95 ', ' s, ', ' messages']
    """
    return [part for part in re.split(r"%[.\d]*[a-z]", text)[1:] if part]


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    params = {"alertEmail": "ops@us.example", "monthlyBudget": 100, "budgetStart": "2026-11-01"}
    return evaluate(ROOT / "infra/main.bicep", **params)


@pytest.mark.parametrize("query", queries().values(), ids=queries().keys())
def test_queries_can_be_read(query: str) -> None:
    assert kql.faults(query) == []


@pytest.mark.parametrize("query", queries().values(), ids=queries().keys())
def test_queries_name_functions_and_messages_that_exist(query: str) -> None:
    functions = {one["function"] for one in declared()}
    assert kql.compared(query, "Name") | kql.compared(query, "OperationName") <= functions
    # The correlation id stands at the end of a line.
    assert kql.compared(query, "Message") == set()
    for start in set(re.findall(r"Message startswith '([^']*)'", query)) - OF_THE_HOST:
        (text,) = [one for one in logged() if one.startswith(start)]
        assert parsed(query, start) == literal_parts(text)[: len(parsed(query, start))]
    for cut in re.findall(r"parse Message with ([^|]*)", query):
        assert cut.rstrip().endswith("*")
    for start in re.findall(r"\bName startswith '([^']*)'", query):
        assert [name for name in functions if name.startswith(start)]


def test_what_queries_read_stands_in_the_text_of_a_line() -> None:
    """The worker hands the host the formatted text alone."""
    calls = [
        (path, node)
        for folder in ("shared", "functions")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).partition(".")[0].endswith("log")
    ]
    with_fields = [
        f"{path}:{node.lineno}" for path, node in calls if any(each.arg == "extra" for each in node.keywords)
    ]
    assert len(calls) > 10
    assert with_fields == []


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("AppRequests | where (Success == false", "stays open"),
        ("AppRequests | where Sucess == false", "unknown name Sucess"),
        ("AppRequests | were Success == false", "unknown step were"),
        ("AppRequests | where Name == 'x", "does not belong"),
        ("AppRequest | where Name == 'x'", "unknown name AppRequest"),
        ("AppRequests | summarize n = counts() by Name", "unknown name counts"),
    ],
)
def test_a_mistake_in_a_query_is_found(query: str, fault: str) -> None:
    assert any(fault in one for one in kql.faults(query))


def test_there_is_an_alert_for_every_promise() -> None:
    assert {one["name"] for one in ALERTS} == {
        "webhook",
        "late",
        "failures",
        "sweep-missing",
        "graph-throttled",
        "graph-access",
        "graph-consent",
        "mailboxes-behind",
        "consent-check-missing",
        "log-cap",
    }


def test_lateness_is_measured_of_sources_that_exist_from_end_to_end() -> None:
    query = queries()["alert late"]
    assert kql.compared(query, "source") == set(get_args(delays.Source)) - {"calendar"}
    assert "change ages: " in query


def test_alerts_use_windows_that_azure_takes(deployment: Deployment) -> None:
    rules = deployment.of_type("Microsoft.Insights/scheduledQueryRules")
    assert len(rules) == len(ALERTS)
    for rule in rules:
        body = rule.body["properties"]
        assert body["windowSize"] in WINDOWS
        assert body["evaluationFrequency"] in WINDOWS
        assert body["severity"] in range(5)
        assert body["actions"]["actionGroups"] == [deployment.only("Microsoft.Insights/actionGroups").id]
        assert "\n" in body["criteria"]["allOf"][0]["query"]


def test_dead_letters_of_every_queue_are_told(deployment: Deployment) -> None:
    alert = deployment.only("Microsoft.Insights/metricAlerts").body["properties"]
    rule = alert["criteria"]["allOf"][0]
    assert alert["scopes"] == [deployment.only("Microsoft.ServiceBus/namespaces").id]
    assert (rule["metricName"], rule["operator"], rule["threshold"]) == ("DeadletteredMessages", "GreaterThan", 0)
    assert rule["dimensions"] == [{"name": "EntityName", "operator": "Include", "values": ["*"]}]


def test_the_webhooks_alert_looks_at_every_webhook() -> None:
    """Routes that other systems push to; Graph's own have two."""
    query = queries()["alert webhook"]
    pushed = re.compile(r"crm/(changes|dataverse)|graph/(notifications|lifecycle)")
    assert kql.compared(query, "Name") == {
        one["function"] for one in declared() if pushed.fullmatch(one["route"] or "")
    }


@pytest.mark.parametrize("name", ["sweep-missing", "consent-check-missing", "graph-access"])
def test_alerts_of_timers_look_at_timers(name: str) -> None:
    timers = {one["function"] for one in bindings() if one["type"] == "timerTrigger"}
    assert kql.compared(queries()[f"alert {name}"], "Name") <= timers


def test_mail_goes_where_it_is_wanted(deployment: Deployment) -> None:
    receivers = deployment.only("Microsoft.Insights/actionGroups").body["properties"]["emailReceivers"]
    assert [one["emailAddress"] for one in receivers] == ["ops@us.example"]
    silent = evaluate(ROOT / "infra/main.bicep")
    assert silent.only("Microsoft.Insights/actionGroups").body["properties"]["emailReceivers"] == []


def test_a_budget_tells_at_80_percent(deployment: Deployment) -> None:
    budget = deployment.only("Microsoft.Consumption/budgets").body["properties"]
    assert (budget["amount"], budget["timePeriod"]) == (100, {"startDate": "2026-11-01"})
    assert [one["threshold"] for one in budget["notifications"].values()] == [80]
    assert not evaluate(ROOT / "infra/main.bicep").of_type("Microsoft.Consumption/budgets")


def test_the_workbook_is_filled_in(deployment: Deployment) -> None:
    text = deployment.only("Microsoft.Insights/workbooks").body["properties"]["serializedData"]
    items = json.loads(text)["items"]
    assert not re.search(r"\b(WORKSPACE|SERVICE_BUS|SITE|TABLES)_ID\b", text)
    known = {
        "microsoft.servicebus/namespaces": deployment.only("Microsoft.ServiceBus/namespaces").id,
        "microsoft.web/sites": deployment.only("Microsoft.Web/sites").id,
        "microsoft.storage/storageaccounts": next(
            one.id for one in deployment.of_type("Microsoft.Storage/storageAccounts") if one.symbol == "data"
        ),
    }
    for item in items:
        if item["type"] == 3:
            assert item["content"]["crossComponentResources"] == [
                "{monitoring.workspace(log-rapport-test-a2b3c4d5).id}"
            ]
        if item["type"] == 10:
            assert item["content"]["resourceIds"] == [known[item["content"]["resourceType"]]]
            for metric in item["content"]["metrics"]:
                namespace, _, name = metric["metric"].rpartition("--")
                assert metric["namespace"] == namespace
                assert name in METRICS[namespace]


def test_the_workbook_shows_what_is_promised() -> None:
    shown = " ".join(str(item["content"]) for item in workbook()["items"])
    for panel in (
        "change ages: ", "message delays: ", "mailboxes behind: ", "Graph calls: ", "Graph refused: ", "ActiveMessages",
        "DeadletteredMessages", "Host started", "OnDemandFunctionExecutionUnits", "Transactions", "Usage",
    ):  # fmt: skip
        assert panel in shown


def test_nothing_of_a_person_is_asked_for() -> None:
    words = set(re.findall(r"\w+", " ".join(queries().values()).lower()))
    assert not words & {"url", "customdimensions", "properties", "user_id", "clientip", "email", "subject"}
