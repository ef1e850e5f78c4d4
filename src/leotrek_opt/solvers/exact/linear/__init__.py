"""Certificates of linear models by branch and bound of our own, with HiGHS for the relaxations.

Engines prove, and keep their proof to themselves. This search is slower than theirs and keeps
everything that :mod:`leotrek_opt.solvers.certificate.branch` needs to follow it without a solver.
"""
