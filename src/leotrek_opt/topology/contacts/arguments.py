"""Checks of what a caller asks for."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.models.base import nearest_name
from leotrek_opt.models.continuum import Continuum, TimeGrid
from leotrek_opt.models.messages import shown
from leotrek_opt.models.topology import GeneratedTopology

Indices = NDArray[np.int64]


def generated(continuum: Continuum) -> GeneratedTopology:
    """Return the recipe of a continuum, which alone knows the time between two steps.

    Parameters
    ----------
    continuum
        Any continuum.

    Returns
    -------
    GeneratedTopology
        Its topology.

    Raises
    ------
    leotrek_opt.errors.UnsupportedError
        If the topology is explicit.
    """
    if not isinstance(continuum.topology, GeneratedTopology):
        raise UnsupportedError(
            "contact windows need a generated topology; an explicit one is known at its steps only "
            "(see link_intervals)"
        )
    return continuum.topology


def end_of_grid_s(time: TimeGrid) -> float:
    """Return when the last snapshot ends, if each holds until the next one.

    Parameters
    ----------
    time
        Evenly spaced, or with listed instants, of which the last holds as long as the one before.

    Returns
    -------
    float
        Seconds after the start.
    """
    last = time.offset_s(time.steps - 1)
    if time.offsets_s is None or time.steps == 1:
        return last + time.step_s
    return 2 * last - time.offset_s(time.steps - 2)


def span_s(time: TimeGrid, start_s: float, end_s: float | None) -> tuple[float, float]:
    """Check a span of time, whose end is that of the grid if none is given.

    Parameters
    ----------
    time
        The grid.
    start_s, end_s
        Seconds after its start.

    Returns
    -------
    tuple of float
        Both ends.

    Raises
    ------
    leotrek_opt.errors.InputError
        If they are not finite or in the wrong order.
    """
    begin = number_within(start_s, -1e10, 1e10, "start_s")
    end = end_of_grid_s(time) if end_s is None else number_within(end_s, -1e10, 1e10, "end_s")
    if end <= begin:
        raise InputError(f"must be greater than start_s = {begin:g}, got {end:g}", field="end_s")
    return begin, end


def number_within(value: float, low: float, high: float, field: str) -> float:
    """Return a number that lies between two others.

    Parameters
    ----------
    value
        What the caller gave.
    low, high
        Inclusive limits.
    field
        Name of the argument.

    Returns
    -------
    float
        The same.

    Raises
    ------
    leotrek_opt.errors.InputError
        If it is no number, or outside.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not low <= number <= high:
        raise InputError(f"must be in {low:g} … {high:g}, got {shown(value)}", field=field)
    return number


def chosen_nodes(
    continuum: Continuum, wanted: Sequence[int | str] | None, first: int, stop: int, field: str
) -> Indices:
    """Return the node indices that a caller names.

    Parameters
    ----------
    continuum
        Its nodes.
    wanted
        Indices, ids or labels, or None for all from ``first`` to before ``stop``.
    first, stop
        The nodes that are allowed.
    field
        Name of the argument, for messages.

    Returns
    -------
    ndarray
        Sorted, each once.

    Raises
    ------
    leotrek_opt.errors.InputError
        If there is no such node among those allowed; it names the nearest.
    """
    if wanted is None:
        return np.arange(first, stop)
    if isinstance(wanted, (str, bytes)) or not isinstance(wanted, Iterable):
        raise InputError("must be a list of node indices, ids or labels", field=field)
    found = set()
    names: dict[str, int] = {}
    if any(isinstance(name, str) for name in wanted):
        labels = continuum.nodes.label or ()
        # Of two nodes of one label the first is meant; ids, which are unique, come last and win.
        names = {labels[node]: node for node in reversed(range(first, min(stop, len(labels))))}
        names |= {continuum.nodes.id[node]: node for node in range(first, stop)}
    for position, name in enumerate(wanted):
        at = f"{field}[{position}]"
        if isinstance(name, str):
            if name not in names:
                raise InputError(f'no node "{name}"{nearest_name(name, names)}', field=at)
            found.add(names[name])
            continue
        try:
            node = operator.index(name)
        except TypeError:
            node = -1
        if not first <= node < stop:
            raise InputError(f"must be a node index in {first} … {stop - 1}, got {name}", field=at)
        found.add(node)
    return np.array(sorted(found), dtype=np.int64)
