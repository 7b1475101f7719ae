"""A small reader of Kusto queries: enough to find typing mistakes, unknown columns and unbalanced brackets."""

from __future__ import annotations

import re
from itertools import pairwise

TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*'|"[^"]*"|\d+(?:\.\d+)?[smhd]?\b|[A-Za-z_]\w*|\.\.|[=!<>~]=?~?|[^\s\w'"]""")
# Columns of the tables that the queries read, as Azure Monitor documents them.
TABLES = {
    "AppRequests": {"TimeGenerated", "Name", "ResultCode", "Success", "DurationMs", "OperationName", "AppRoleInstance"},
    "AppTraces": {"TimeGenerated", "Message", "SeverityLevel", "OperationName", "AppRoleInstance"},
    "Usage": {"TimeGenerated", "DataType", "Quantity", "IsBillable"},
    "_LogOperation": {"TimeGenerated", "Category", "Operation", "Detail", "Level"},
}
OPERATORS = {"where", "summarize", "extend", "project", "parse", "top", "order", "join"}
WORDS = {
    "by",
    "with",
    "and",
    "or",
    "in",
    "between",
    "startswith",
    "contains",
    "has",
    "asc",
    "desc",
    "let",
    "true",
    "false",
}
FUNCTIONS = {
    "count", "countif", "sum", "min", "max", "percentile", "dcount", "bin", "ago", "toint", "todouble", "todatetime", "toscalar",
    "tostring", "split",
}  # fmt: skip


def tokens(query: str) -> list[str]:
    """The words, literals and signs of a query."""
    return TOKEN.findall(query)


def faults(query: str) -> list[str]:
    """What is wrong with a query; empty when nothing is found."""
    found = _brackets(query)
    if re.sub(r"\s+", "", query) != "".join(re.sub(r"\s+", "", one) for one in tokens(query)):
        found.append("a character or quote that does not belong")
    steps = re.findall(r"\|\s*(\w+)", re.sub(r"'[^']*'", "''", query))
    found += [f"unknown step {step}" for step in steps if step not in OPERATORS]
    return found + [f"unknown name {name}" for name in _unknown(query)]


def _brackets(query: str) -> list[str]:
    depth = 0
    for one in tokens(query):
        depth += (one == "(") - (one == ")")
        if depth < 0:
            return ["a bracket closes that never opened"]
    return ["a bracket stays open"] if depth else []


def _unknown(query: str) -> list[str]:
    words = tokens(query)
    sources = [name for name in TABLES if name in words]
    columns = set().union(*(TABLES[name] for name in sources))
    made = {name for name, sign in pairwise(words) if sign == "="}  # extend x = …, let x = …
    # `parse Message with 'text' name 'text' name` makes columns of what follows each text
    for clause in re.findall(r"\bparse\b([^|;]*)", query):
        made |= set(re.findall(r"'[^']*'\s+([A-Za-z_]\w*)", clause))
    known = columns | made | set(sources) | OPERATORS | WORDS | FUNCTIONS
    return [one for one in words if re.match(r"[A-Za-z_]", one) and one not in known]


def compared(query: str, column: str) -> set[str]:
    """The texts that `column` is compared with by ==, =~ or in (...)."""
    found = set(re.findall(rf"\b{column} =[=~] '([^']*)'", query))
    for group in re.findall(rf"\b{column} in \(([^)]*)\)", query):
        found |= set(re.findall(r"'([^']*)'", group))
    return found
