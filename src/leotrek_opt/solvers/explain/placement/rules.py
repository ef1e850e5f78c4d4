"""One rule of a placement problem: something that a user could change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

RuleKind = Literal[
    "capacity",
    "accelerator",
    "availability",
    "temperature",
    "pinned",
    "architecture",
    "max_latency",
    "min_bandwidth",
    "data_source",
    "response_time",
]
KINDS: tuple[RuleKind, ...] = get_args(RuleKind)
AMOUNTS: frozenset[RuleKind] = frozenset(
    {"capacity", "accelerator", "max_latency", "min_bandwidth", "data_source", "response_time"}
)
"""Kinds with a number that can be raised or lowered."""


@dataclass(frozen=True)
class Rule:
    """One rule. Which of the indices are set depends on its kind; all others are None.

    Parameters
    ----------
    kind
        What it is about.
    node
        Of a capacity, an accelerator, an availability or a temperature.
    resource
        Of a capacity, or the device of an accelerator.
    function
        Index of the function that is pinned, has an architecture, or reads from a data source.
    source
        Position of the data source among those of the function.
    edge
        Index of the data edge.
    workflow
        Index of the workflow with a response time.
    value
        The number of the rule, if it has one: units, ns or bit/s. Of a capacity that changes over
        time, the least.
    """

    kind: RuleKind
    node: int | None = None
    resource: str | None = None
    function: int | None = None
    source: int | None = None
    edge: int | None = None
    workflow: int | None = None
    value: int | None = None
