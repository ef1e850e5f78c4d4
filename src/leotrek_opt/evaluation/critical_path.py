"""When the functions of a workflow finish under a solution, and which chain decides it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from leotrek_opt.evaluation.assignments import PlacedFunction
from leotrek_opt.evaluation.links import RoutedFlow
from leotrek_opt.models.base import NS_PER_MS
from leotrek_opt.models.continuum import Continuum


@dataclass(frozen=True)
class CriticalPath:
    """The longest chain of one workflow.

    Parameters
    ----------
    response_ns
        From the arrival of the workflow until its last function has finished.
    functions
        Identifiers of the functions of one chain that takes as long.
    """

    response_ns: int
    functions: tuple[str, ...]


def critical_path(
    continuum: Continuum,
    functions: Sequence[PlacedFunction],
    routed: Iterable[RoutedFlow],
    *,
    data_sources: bool,
) -> CriticalPath | None:
    """Compute the critical path of one workflow.

    A function starts when the data of all its predecessors has arrived, and with ``data_sources``
    that of its data sources too, which send from the arrival of the workflow on.

    Parameters
    ----------
    continuum
        Gives the architectures of the nodes.
    functions
        The functions of the workflow with their places.
    routed
        The flows of the workflow with their routes.
    data_sources
        Whether functions wait for their data sources.

    Returns
    -------
    CriticalPath or None
        None if a function has no place or no execution time there, or data has no route.
    """
    arriving: dict[str, list[RoutedFlow]] = {placed.function.id: [] for placed in functions}
    for entry in routed:
        if data_sources or not entry.flow.is_data_source:
            arriving[entry.flow.target].append(entry)
    order = TopologicalSorter(
        {
            name: [entry.flow.source for entry in entries if not entry.flow.is_data_source]
            for name, entries in arriving.items()
        }
    )
    execution_ns = {placed.function.id: _execution_ns(continuum, placed) for placed in functions}
    finish: dict[str, int] = {}
    waited_for: dict[str, str | None] = {}
    for name in order.static_order():
        start, waited_for[name] = 0, None
        for entry in arriving[name]:
            if entry.route is None:
                return None
            begun = 0 if entry.flow.is_data_source else finish[entry.flow.source]
            arrival = begun + entry.route.transfer_ns
            if arrival > start:
                start = arrival
                waited_for[name] = None if entry.flow.is_data_source else entry.flow.source
        duration = execution_ns[name]
        if duration is None:
            return None
        finish[name] = start + duration
    # max keeps the first of equals, and arriving is in the order of the document.
    last: str | None = max(arriving, key=lambda name: finish[name])
    response_ns = finish[last] if last is not None else 0
    chain: list[str] = []
    while last is not None:
        chain.append(last)
        last = waited_for[last]
    return CriticalPath(response_ns, tuple(reversed(chain)))


def _execution_ns(continuum: Continuum, placed: PlacedFunction) -> int | None:
    """Return the execution time at its place, 0 if none is known anywhere."""
    if placed.node is None:
        return None
    architecture = continuum.nodes.architecture[placed.node]
    execution_ms = placed.function.execution_ms
    if not execution_ms:
        return 0
    return None if architecture not in execution_ms else execution_ms[architecture] * NS_PER_MS
