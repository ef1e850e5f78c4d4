"""The rules for links in plain Python, pair by pair, as their definitions read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

from leotrek_opt.topology.state import SatelliteState
from leotrek_opt.topology.strategies.sight import clears_earth

Pair = tuple[int, int]
Pairs = set[Pair]


class Plain:
    """One set of satellites, with all pairs that see each other by (length, i, j)."""

    def __init__(self, state: SatelliteState, margin_km: float) -> None:
        self.count = len(state.valid)
        self.position = state.position_km
        i, j = np.triu_indices(self.count, 1)
        start, end = state.position_km[i], state.position_km[j]
        seen = np.flatnonzero(state.valid[i] & state.valid[j] & clears_earth(start, end, margin_km))
        i, j = i[seen], j[seen]
        quanta = np.rint(np.linalg.norm(start[seen] - end[seen], axis=1) * 1e6).astype(int)
        self.length: dict[Pair, int] = dict(
            zip(zip(i.tolist(), j.tolist(), strict=True), quanta.tolist(), strict=True)
        )

    def candidates(self, range_km: float | None) -> list[Pair]:
        kept = [
            pair
            for pair, quanta in self.length.items()
            if range_km is None or quanta <= range_km * 1e6
        ]
        return sorted(kept, key=lambda pair: (self.length[pair], pair))

    def partners(self, one: int, range_km: float | None = None) -> list[int]:
        return [i if one == j else j for i, j in self.candidates(range_km) if one in (i, j)]

    def visibility(self, range_km: float | None) -> Pairs:
        return set(self.candidates(range_km))

    def nearest_k(self, k: int, range_km: float | None) -> Pairs:
        return self._filled(set(), k, range_km)

    def nearest(self, k: int) -> Pairs:
        return {
            (min(one, other), max(one, other))
            for one in range(self.count)
            for other in self.partners(one)[:k]
        }

    def mst(self, range_km: float | None, cap: int = 10**9, links: Iterable[Pair] = ()) -> Pairs:
        component = list(range(self.count))
        degree = [0] * self.count
        tree: Pairs = set()

        def join(i: int, j: int) -> None:
            degree[i] += 1
            degree[j] += 1
            old, new = component[i], component[j]
            component[:] = [new if label == old else label for label in component]

        for i, j in links:
            join(i, j)
        for i, j in self.candidates(range_km):
            if component[i] != component[j] and degree[i] < cap and degree[j] < cap:
                join(i, j)
                tree.add((i, j))
        return tree

    def capped_tree(self, degree: int, range_km: float | None) -> Pairs:
        return self._filled(self.mst(range_km, degree), degree, range_km)

    def pst(self) -> Pairs:
        component = list(range(self.count))
        tree: Pairs = set()
        for i in range(self.count):
            if degree_of(tree, i) >= 4:
                continue
            for j in self.partners(i):
                if component[j] != component[i] and degree_of(tree, j) < 4:
                    tree.add((min(i, j), max(i, j)))
                    old, new = component[i], component[j]
                    component = [new if label == old else label for label in component]
                    break
        return tree

    def loops(self, tree: Pairs, degree: int, range_km: float | None) -> Pairs:
        links = set(tree)
        for s in range(self.count):
            if not 0 < degree_of(links, s) < degree - 1:
                continue
            for i, j in self.candidates(range_km):
                full = degree_of(links, i) >= degree or degree_of(links, j) >= degree
                if s in (i, j) and (i, j) not in links and not full:
                    links.add((i, j))
                    break
        return links

    def smart_loops(self, tree: Pairs, degree: int, range_km: float | None) -> Pairs:
        links = set(tree)
        leaves = [s for s in range(self.count) if degree_of(tree, s) == 1]
        for s in leaves:
            if degree_of(links, s) != 1:
                continue
            angles = sorted(
                (round(float(self.position[s] @ self.position[t]) * 1e3), t)
                for t in self.partners(s, range_km)
                if t in leaves
            )
            for _, t in angles:
                pair = min(s, t), max(s, t)
                if pair not in links and degree_of(links, t) < degree:
                    links.add(pair)
                    break
        return links

    def _filled(self, links: Pairs, degree: int, range_km: float | None) -> Pairs:
        filled = set(links)
        for i, j in self.candidates(range_km):
            room = degree_of(filled, i) < degree and degree_of(filled, j) < degree
            if room and (i, j) not in filled:
                filled.add((i, j))
        return filled


def degree_of(links: Pairs, one: int) -> int:
    return sum(one in pair for pair in links)


def components_of(links: Pairs, members: Iterable[int]) -> int:
    label = {member: member for member in members}
    for i, j in links:
        old, new = label[i], label[j]
        label = {member: new if one == old else one for member, one in label.items()}
    return len(set(label.values()))


def state_at(position_km: np.ndarray, valid: np.ndarray | None = None) -> SatelliteState:
    """Satellites somewhere, at an instant that does not matter."""
    known = np.ones(len(position_km), dtype=bool) if valid is None else valid
    position = np.where(known[:, None], position_km, np.nan)
    return SatelliteState(0, datetime(2024, 12, 15, tzinfo=UTC), 2460659.5, 0.0, position, known)


def cloud(
    seed: int, count: int, spread: float = 1.0, thickness_km: float = 400.0, grid_km: float = 0.0
) -> np.ndarray:
    """Satellites over a part of the Earth; on a grid many are equally far apart."""
    random = np.random.default_rng(seed)
    direction = random.normal(size=(count, 3)) * spread + [1.0, 0.0, 0.0]
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    position = direction * random.uniform(6900.0, 6900.0 + thickness_km, (count, 1))
    if grid_km:
        position = np.rint(position / grid_km) * grid_km
        position = np.unique(position, axis=0)
        random.shuffle(position)
    return position
