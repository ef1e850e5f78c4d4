"""What is left of every capacity while functions are placed and taken out again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.arrays.placement import Capacities
from leotrek_opt.topology.routing import IntArray

Mask = NDArray[np.bool_]


class Occupancy:
    """Free capacity of every window, and which nodes have room for one function more.

    Parameters
    ----------
    capacities
        Demands and windows; nothing is placed at first.
    """

    def __init__(self, capacities: Capacities) -> None:
        self.n_nodes = capacities.n_nodes
        self._demand = capacities.demand
        windows = capacities.windows
        shape = (len(windows), len(capacities.resources), self.n_nodes)
        self._free = np.empty(shape, dtype=np.int64)
        for index, window in enumerate(windows):
            self._free[index] = window.capacity
        self._windows = [
            np.array([w for w, window in enumerate(windows) if window.active[function]], dtype=int)
            for function in range(len(self._demand))
        ]
        self._resources = [np.flatnonzero(demand) for demand in self._demand]
        self._exempt: dict[int, list[tuple[int, int, int]]] = {}
        for index, window in enumerate(windows):
            for function, resource, node in window.exempt:
                self._exempt.setdefault(function, []).append((index, resource, node))

    def room(self, function: int) -> Mask:
        """Return the nodes with room for a function, shape (N,)."""
        windows, resources = self._windows[function], self._resources[function]
        if not len(windows) or not len(resources):
            return np.ones(self.n_nodes, dtype=bool)
        enough = (
            self._free[np.ix_(windows, resources)] >= self._demand[function, resources][:, None]
        )
        for window, resource, node in self._exempt.get(function, ()):
            enough[np.ix_(windows == window, resources == resource, [node])] = True
        whole: Mask = enough.all(axis=(0, 1))
        return whole

    def place(self, function: int, node: int) -> None:
        """Let a function occupy a node, whether it has room or not."""
        self._change(function, node, -1)

    def remove(self, function: int, node: int) -> None:
        """Take a function off the node on which it was placed."""
        self._change(function, node, 1)

    def _change(self, function: int, node: int, sign: int) -> None:
        windows, resources = self._windows[function], self._resources[function]
        amount = sign * self._demand[function, resources]
        self._free[windows[:, None], resources[None, :], node] += amount
        for window, resource, where in self._exempt.get(function, ()):
            if where == node and window in windows:
                self._free[window, resource, node] -= sign * self._demand[function, resource]

    def place_all(self, assignment: IntArray) -> None:
        """Place every function that an assignment places, shape (F,), -1 for none."""
        for function in np.flatnonzero(assignment >= 0):
            self.place(int(function), int(assignment[function]))
