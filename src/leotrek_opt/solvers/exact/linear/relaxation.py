"""From the duals of a linear relaxation to a certificate of the bound that they give."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from leotrek_opt.models.certificate import LinearCertificate
from leotrek_opt.solvers.certificate.linear import best_evidence
from leotrek_opt.solvers.certificate.minorant import ExactRelaxation, vector
from leotrek_opt.solvers.exact.linear.tree import Known, Part, certificate_of
from leotrek_opt.solvers.linear_arrays import ModelArrays


def dual_certificate(arrays: ModelArrays, row_dual: ArrayLike) -> LinearCertificate | None:
    """Write down the bound that duals give, whatever they are.

    Parameters
    ----------
    arrays
        The model, m rows.
    row_dual
        Shape (m,), in the convention of an engine's result.

    Returns
    -------
    LinearCertificate or None
        A single leaf; None if the duals leave a column without a bound unbounded.

    Raises
    ------
    InputError
        If the shape is wrong.
    """
    relaxation = ExactRelaxation(arrays)
    duals = arrays.sign * vector(row_dual, arrays.row_lower.size, "row_dual")
    evidence = best_evidence(relaxation, duals, relaxation.box(None, None))
    if evidence is None:
        return None
    nothing = np.zeros(0)
    root = Part(nothing, nothing, Known(evidence.multipliers, evidence.value))
    return certificate_of(arrays, root, None)
