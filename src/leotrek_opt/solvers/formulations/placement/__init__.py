"""Placement as a linear model: the flow formulation, and McCormick's as the bad example."""

from leotrek_opt.solvers.formulations.placement.build import build
from leotrek_opt.solvers.formulations.placement.model import PlacementModel

__all__ = ["PlacementModel", "build"]
