"""Routes in exact integers, by a plain heap: what a checker needs and nothing that a solver uses.

A *cost* is a Python integer, so nothing rounds and nothing overflows. *Labels* map nodes to costs;
a node that cannot be reached, or must not be used, has no label. Links are undirected, so every
result may be read in both directions.

A route may begin and end at a *silent* node, one that does not relay, but pass through none: only a
label that starts at a silent node leaves it. Those depart before the search, and no label that the
search brings to a silent node goes on.

All searches set labels in the order of their cost (Dijkstra, Numer. Math. 1, 1959): weights are not
negative, hence a label that leaves the heap first can no longer be undercut.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from heapq import heapify, heappop, heappush

Labels = dict[int, int]
"""Cost by node."""

Neighbours = Sequence[Sequence[tuple[int, int]]]
"""By node: the node at the other end of each link, and the weight of the link."""

WideNeighbours = Sequence[Sequence[tuple[int, int, int]]]
"""By node: other end, weight and bandwidth of each link."""

FAR = 1 << 300
"""Above every cost: prices, demands and counts are bounded far below."""


def divide_half_even(numerator: int, denominator: int) -> int:
    """Return the quotient rounded to the nearest integer, a half to the even one.

    Parameters
    ----------
    numerator, denominator
        Not negative, and positive.

    Returns
    -------
    int
        Exact.
    """
    whole, rest = divmod(numerator, denominator)
    if 2 * rest == denominator:
        return whole + whole % 2
    return whole + (2 * rest > denominator)


def spread(
    neighbours: Neighbours,
    starts: Mapping[int, int],
    wanted: Collection[int],
    limit: int | None = None,
    silent: Collection[int] = frozenset(),
) -> Labels:
    """Return ``min over starts n of starts[n] + distance(n, m)`` for every wanted node m.

    Parameters
    ----------
    neighbours
        The graph.
    starts
        Labels to begin with.
    wanted
        Nodes asked for; the search ends when all are known.
    limit
        Higher costs are left out.
    silent
        Nodes that no route passes through.

    Returns
    -------
    dict
        Labels of the wanted nodes that are reached.
    """
    best = [FAR if limit is None else limit + 1] * len(neighbours)
    heap = []
    for node, cost in starts.items():
        if cost < best[node]:
            best[node] = cost
            heap.append((cost, node))
        if node in silent:
            for other, weight in neighbours[node]:
                if cost + weight < best[other]:
                    best[other] = cost + weight
                    heap.append((cost + weight, other))
    heapify(heap)
    missing = set(wanted)
    found: Labels = {}
    while heap and missing:
        cost, node = heappop(heap)
        if cost > best[node]:
            continue
        if node in missing:
            missing.discard(node)
            found[node] = cost
        if node in silent:
            continue
        for other, weight in neighbours[node]:
            reached = cost + weight
            if reached < best[other]:
                best[other] = reached
                heappush(heap, (reached, other))
    return found


def spread_apart(
    neighbours: Neighbours,
    starts: Mapping[int, int],
    wanted: Collection[int],
    apart: Collection[int],
    limit: int | None = None,
    silent: Collection[int] = frozenset(),
) -> Labels:
    """Return :func:`spread`, where nodes of ``apart`` take no label that started at themselves.

    Every node keeps its two cheapest labels of *different* start. That is enough: let a third start
    arrive at a node k where two others are at most as dear. Wherever the third could go from k the
    two can follow, and at any node m at least one of them did not start at m, so without the third
    the least cost from elsewhere stays what it is. And it is needed: the cheapest label alone may
    have started at m.

    Parameters
    ----------
    neighbours
        The graph.
    starts
        Labels to begin with.
    wanted
        Nodes asked for; the search ends when all are known.
    apart
        Nodes m for which the minimum runs over starts other than m.
    limit
        Higher costs are left out.
    silent
        Nodes that no route passes through.

    Returns
    -------
    dict
        Labels of the wanted nodes that are reached.
    """
    far = FAR if limit is None else limit + 1
    first, second = [far] * len(neighbours), [far] * len(neighbours)
    first_start, second_start = [-1] * len(neighbours), [-1] * len(neighbours)
    heap: list[tuple[int, int, int]] = []

    def leave(node: int, cost: int, start: int) -> None:
        for other, weight in neighbours[node]:
            reached = cost + weight
            if reached >= second[other]:
                continue
            if first_start[other] == start:
                if reached < first[other]:
                    first[other] = reached
                    heappush(heap, (reached, other, start))
                continue
            if reached < first[other]:
                second[other], second_start[other] = first[other], first_start[other]
                first[other], first_start[other] = reached, start
            else:
                second[other], second_start[other] = reached, start
            heappush(heap, (reached, other, start))

    for node, cost in starts.items():
        if cost < far:
            first[node], first_start[node] = cost, node
            heap.append((cost, node, node))
    heapify(heap)
    for node, cost in starts.items():
        if node in silent:
            leave(node, cost, node)
    missing = set(wanted)
    found: Labels = {}
    while heap and missing:
        cost, node, start = heappop(heap)
        is_first = first_start[node] == start and first[node] == cost
        is_second = second_start[node] == start and second[node] == cost
        if not (is_first or is_second):
            continue
        if node in missing and (start != node or node not in apart):
            missing.discard(node)
            found[node] = cost
        if node not in silent:
            leave(node, cost, start)
    return found


def widest_routes(
    neighbours: WideNeighbours,
    start: int,
    wanted: Collection[int],
    limit: int | None = None,
    silent: Collection[int] = frozenset(),
) -> dict[int, tuple[int, int | None]]:
    """Return the length of the shortest routes to some nodes, and the bandwidth of the widest one.

    Labels are ordered by length, then by falling bandwidth. Adding a link keeps that order (lengths
    add up, bandwidths take the minimum) and never improves a label, so setting them in order is
    exact also with links of length 0.

    Parameters
    ----------
    neighbours
        The graph with bandwidths.
    start
        Node.
    wanted
        Nodes asked for; the search ends when all are known.
    limit
        Longer routes are left out.
    silent
        Nodes that no route passes through.

    Returns
    -------
    dict
        Length and bandwidth by node; the bandwidth at the start itself is None, for unlimited.
    """
    far = FAR if limit is None else limit + 1
    best = {start: (0, -FAR)}
    heap = [(0, -FAR, start)]
    missing = set(wanted)
    found: dict[int, tuple[int, int | None]] = {}
    while heap and missing:
        length, narrowness, node = heappop(heap)
        if (length, narrowness) > best[node]:
            continue
        if node in missing:
            missing.discard(node)
            found[node] = (length, None if node == start else -narrowness)
        if node in silent and node != start:
            continue
        for other, weight, bandwidth in neighbours[node]:
            label = (length + weight, max(narrowness, -bandwidth))
            if label[0] < far and (other not in best or label < best[other]):
                best[other] = label
                heappush(heap, (*label, other))
    return found
