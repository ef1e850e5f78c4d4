"""The placement problem as numpy arrays: allowed nodes, unary costs, edge costs, capacities.

Everything in the solvers reads a placement problem through :class:`PlacementArrays`; the rules
themselves stand in the modules of this package and, written independently, in ``evaluation``.
"""

from leotrek_opt.solvers.arrays.placement.build import (
    Edge,
    PlacementArrays,
    WorkflowArrays,
    placement_arrays,
)
from leotrek_opt.solvers.arrays.placement.capacity import Capacities, Overload, Window
from leotrek_opt.solvers.arrays.placement.links import LinkCost

__all__ = [
    "Capacities",
    "Edge",
    "LinkCost",
    "Overload",
    "PlacementArrays",
    "Window",
    "WorkflowArrays",
    "placement_arrays",
]
