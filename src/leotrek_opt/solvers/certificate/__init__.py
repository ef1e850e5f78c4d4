"""Bounds in exact arithmetic that need no solver to check."""

from leotrek_opt.solvers.certificate.placement import Verdict, placement_bound

__all__ = ["Verdict", "placement_bound"]
