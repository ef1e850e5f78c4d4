"""Explaining infeasible placement problems by their own rules."""

from leotrek_opt.solvers.explain.placement.method import (
    explain,
    explain_prepared,
    relaxed_problem,
    sentences_for,
)

__all__ = ["explain", "explain_prepared", "relaxed_problem", "sentences_for"]
