"""Deriving a bound on a placement problem again, from a certificate of its flow formulation.

The formulation is built again from the problem, over all allowed nodes, and the certificate is
checked against that model. No solver takes part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from leotrek_opt.errors import InputError
from leotrek_opt.models.certificate import LinearCertificate
from leotrek_opt.solvers.certificate.branch import linear_bound
from leotrek_opt.solvers.certificate.placement import Verdict
from leotrek_opt.solvers.formulations.placement import build
from leotrek_opt.solvers.linear_arrays import model_digest

if TYPE_CHECKING:
    from leotrek_opt.solvers.arrays.placement import PlacementArrays

MAX_NONZEROS = 20_000_000
"""Largest formulation that is built again to check a certificate."""


def formulation_bound(arrays: PlacementArrays, certificate: LinearCertificate) -> Verdict:
    """Derive a lower bound on the objective of every feasible placement.

    Parameters
    ----------
    arrays
        The problem.
    certificate
        Of its flow formulation over all allowed nodes.

    Returns
    -------
    Verdict
        Valid for every certificate; whether it reaches a claim is for the reader to compare.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the certificate belongs to another model.
    leotrek_opt.errors.ModelTooLargeError
        If the formulation would be too large to be built again.
    """
    model = build(arrays, None, max_nonzeros=MAX_NONZEROS)
    linear = model.linear.arrays()
    expected = model_digest(linear)
    if certificate.model_digest != expected:
        raise InputError(
            f"belongs to another model; the flow formulation of this problem has the digest "
            f"{expected}",
            field="certificate.model_digest",
        )
    verdict = linear_bound(linear, certificate)
    if verdict.infeasible:
        return Verdict(None, True, verdict.messages)
    bound = verdict.bound
    if bound is None:
        return Verdict(None, False, verdict.messages)
    # Every value of the model is a whole number of units, so its bound may be rounded up.
    return Verdict(model.bound_ns(-int(-bound // 1)), False, verdict.messages)
