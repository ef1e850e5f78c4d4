"""Rules and their relaxation in words."""

from __future__ import annotations

from decimal import Decimal

from leotrek_opt.models.continuum import CPU, MEMORY
from leotrek_opt.models.workflow import DataSource
from leotrek_opt.solvers.explain.explanation import ConflictingRule, RuleChange, Unit
from leotrek_opt.solvers.explain.placement.amounts import Change
from leotrek_opt.solvers.explain.placement.book import RuleBook
from leotrek_opt.solvers.explain.placement.rules import Rule

_UNITS: dict[str, Unit] = {
    "capacity": "units",
    "accelerator": "units",
    "max_latency": "ns",
    "data_source": "ns",
    "response_time": "ns",
    "min_bandwidth": "bit/s",
}
_RESOURCE_UNITS = {CPU: " mCPU", MEMORY: " MiB"}


def described(book: RuleBook, rule: Rule) -> ConflictingRule:
    """Describe a rule.

    Parameters
    ----------
    book
        The rules of the problem.
    rule
        One of them.

    Returns
    -------
    ConflictingRule
        With identifier and words.
    """
    what, (thing, name), given = _what(rule), _subject(book, rule), _given(book, rule)
    return ConflictingRule(
        id=rule_id(book, rule),
        kind=rule.kind,
        words=f"{what} of {thing} {name} ({given})",
        what=what,
        thing=thing,
        name=name,
        given=given,
        value=rule.value,
        unit=_UNITS.get(rule.kind, ""),
    )


def rule_id(book: RuleBook, rule: Rule) -> str:
    """Return the identifier of a rule, such as ``capacity:cpu_millis:edge-17``.

    Parameters
    ----------
    book
        The rules of the problem.
    rule
        One of them.

    Returns
    -------
    str
        Unlike that of any other rule of the problem.
    """
    if rule.node is not None:
        parts = [rule.kind, rule.resource, book.problem.continuum.nodes.id[rule.node]]
    elif rule.workflow is not None:
        parts = [rule.kind, book.arrays.workflows[rule.workflow].name]
    elif rule.edge is not None:
        edge = book.data_edges[rule.edge]
        parts = [rule.kind, f"{_workflow(book, rule)}/{edge.source}->{edge.target}"]
    else:
        assert rule.function is not None
        item = None if rule.source is None else book.link(rule)
        parts = [rule.kind, book.arrays.name_of(rule.function)]
        parts += [item.id] if isinstance(item, DataSource) else []
    return ":".join(part for part in parts if part)


def relaxed(book: RuleBook, change: Change) -> RuleChange:
    """Describe the change of a rule.

    Parameters
    ----------
    book
        The rules of the problem.
    change
        What is to be done.

    Returns
    -------
    RuleChange
        With words such as ``raise capacity cpu_millis of node edge-17 by 412 mCPU to 4412 mCPU``.
    """
    rule = book.rules[change.rule]
    about = described(book, rule)
    if change.amount is None or rule.value is None:
        return RuleChange(rule=about.id, kind=rule.kind, words=_given_up(book, rule))
    sign = -1 if rule.kind == "min_bandwidth" else 1
    after = rule.value + sign * change.amount
    verb = "lower" if sign < 0 else "raise"
    least = "" if change.is_least else "at most "
    return RuleChange(
        rule=about.id,
        kind=rule.kind,
        words=f"{verb} {about.what} of {about.thing} {about.name} by {least}"
        f"{_quantity(rule, change.amount)} to {_quantity(rule, after)}",
        amount=change.amount,
        before=rule.value,
        after=after,
        unit=about.unit,
        is_least=change.is_least,
    )


def _what(rule: Rule) -> str:
    words = {
        "capacity": f"capacity {rule.resource}",
        "accelerator": f"number of accelerators {rule.resource}",
        "availability": "availability",
        "temperature": "temperature limit",
        "pinned": "pinned place",
        "architecture": "architecture",
        "max_latency": "max latency",
        "min_bandwidth": "min bandwidth",
        "data_source": "max latency",
        "response_time": "response time",
    }
    return words[rule.kind]


def _subject(book: RuleBook, rule: Rule) -> tuple[str, str]:
    """Return what a rule is about, and its name."""
    if rule.node is not None:
        return "node", book.problem.continuum.nodes.id[rule.node]
    if rule.workflow is not None:
        return "workflow", book.arrays.workflows[rule.workflow].name
    if rule.edge is not None:
        edge = book.data_edges[rule.edge]
        return "edge", f"{edge.source} -> {edge.target} in workflow {_workflow(book, rule)}"
    assert rule.function is not None
    function = book.arrays.name_of(rule.function)
    if rule.source is None:
        return "function", function
    item = book.link(rule)
    assert isinstance(item, DataSource)
    return "data source", f"{item.id} on node {item.node} to function {function}"


def _workflow(book: RuleBook, rule: Rule) -> str:
    assert rule.edge is not None
    return book.arrays.functions[book.arrays.edges[rule.edge].source][0]


def _given(book: RuleBook, rule: Rule) -> str:
    """Say what the rule says."""
    if rule.kind == "pinned":
        return f"node {book.function(rule).pinned}"
    if rule.kind == "architecture":
        return " or ".join(_architectures(book, rule))
    if rule.kind == "availability":
        steps = _steps_of_events(book, rule)
        return f"events at {'step' if len(steps) == 1 else 'steps'} {', '.join(steps)}"
    if rule.kind == "temperature":
        assert rule.node is not None
        continuum, limit = book.problem.continuum, book.problem.thermal
        assert continuum.nodes.heat_profile is not None
        assert limit is not None
        profile = continuum.heat_profiles[int(continuum.nodes.heat_profile[rule.node])]
        degrees = getattr(profile, f"{limit.limit}_temperature_c")
        return f"{degrees:g} °C, heat profile {profile.id}"
    assert rule.value is not None
    return _quantity(rule, rule.value)


def _architectures(book: RuleBook, rule: Rule) -> tuple[str, ...]:
    function = book.function(rule)
    return function.architectures or tuple(function.execution_ms)


def _steps_of_events(book: RuleBook, rule: Rule) -> list[str]:
    assert rule.node is not None
    continuum = book.problem.continuum
    name = continuum.nodes.id[rule.node]
    steps = {e.step for e in continuum.events if e.available is not None and e.node == name}
    return [str(step) for step in sorted(steps)]


def _given_up(book: RuleBook, rule: Rule) -> str:
    subject = " ".join(_subject(book, rule))
    if rule.kind == "pinned":
        return f"let {subject} run on other nodes than {book.function(rule).pinned}"
    if rule.kind == "architecture":
        return f"let {subject} run on other architectures than " + " and ".join(
            _architectures(book, rule)
        )
    if rule.kind == "availability":
        return f"keep {subject} available at all steps"
    if rule.kind == "temperature":
        return f"let {subject} become hotter than its limit"
    return f"give up {_what(rule)} of {subject}"


def _quantity(rule: Rule, value: int) -> str:
    if rule.kind in {"max_latency", "data_source", "response_time"}:
        return f"{_plain(Decimal(value).scaleb(-6))} ms"
    if rule.kind == "min_bandwidth":
        return f"{_plain(Decimal(value).scaleb(-6))} Mbit/s"
    return f"{value}{_RESOURCE_UNITS.get(rule.resource or '', '')}"


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
