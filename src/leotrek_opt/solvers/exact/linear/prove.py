"""``prove``: a certificate of how good the solutions of a linear model can be, if it has any."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from fractions import Fraction

from leotrek_opt.models.certificate import LinearCertificate
from leotrek_opt.solvers.engines.native_call import call_native
from leotrek_opt.solvers.engines.protocol import Limits, Termination
from leotrek_opt.solvers.exact.linear.goal import goal
from leotrek_opt.solvers.exact.linear.search import Search
from leotrek_opt.solvers.exact.linear.tree import certificate_of
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.linear_arrays import FloatArray


@dataclass(frozen=True, eq=False)
class LinearProof:
    """What branch and bound has shown of a model.

    Attributes
    ----------
    certificate
        From which :func:`leotrek_opt.solvers.certificate.branch.linear_bound` derives `bound` or
        `infeasible` again; None if nothing is known.
    bound
        No feasible point is better, in the model's own sense and with its offset; an int where the
        objective moves in whole steps. None if unknown, or if there is no feasible point.
    infeasible
        Whether there is none.
    values, objective
        Best solution that the search met itself and its objective, or None. Integer columns hold
        integers; where continuous columns hold fractions, rows are kept to a tolerance.
    nodes
        Parts of the tree that were looked at.
    seconds
        Wall time.
    termination
        ``proven`` if the bound meets the best known objective, or infeasibility is shown; else what
        ended the search.
    reason
        The same in words.
    """

    certificate: LinearCertificate | None
    bound: int | Fraction | None
    infeasible: bool
    values: FloatArray | None
    objective: float | None
    nodes: int
    seconds: float
    termination: Termination
    reason: str


def prove(
    model: LinearModel,
    *,
    incumbent: float | Fraction | None = None,
    time_limit_s: float | None = None,
    max_nodes: int | None = None,
    cancel: threading.Event | None = None,
    seed: int = 0,
) -> LinearProof:
    """Prove by branch and bound that nothing is better than a known solution.

    Parameters
    ----------
    model
        The model.
    incumbent
        Objective of a known solution, offset included. It only tells where to stop: with a wrong
        one less is shown, never something wrong. None looks for solutions too, and shows
        infeasibility if there are none.
    time_limit_s, max_nodes
        When to end with what is known by then; None for no limit.
    cancel
        Set it, from any thread, to end likewise.
    seed
        Of HiGHS, 0 to 2**31 - 1. The same seed gives the same tree, unless time ends the search.

    Returns
    -------
    LinearProof
        With a certificate of the bound, also where the search has not come to its end.

    Raises
    ------
    InputError
        If an argument is out of range.
    EngineError
        If HiGHS does not take the model.
    """
    started = time.monotonic()
    limits = Limits(time_limit_s=time_limit_s, max_nodes=max_nodes, seed=seed)
    known = None if incumbent is None else goal(model.arrays(), incumbent)
    stop = threading.Event()
    deadline = None if time_limit_s is None else started + time_limit_s
    search = Search(
        model,
        known,
        stop=stop,
        seed=limits.seed,
        max_nodes=limits.max_nodes,
        deadline=deadline,
    )
    call_native(
        lambda _post: search.run(),
        lambda _message: None,
        stop=stop,
        cancel=cancel,
        deadline=deadline,
    )
    certificate = certificate_of(
        model.arrays(), search.root, None if search.goal is None else search.goal.target
    )
    return _concluded(model, search, certificate, cancel, stop, started)


def _concluded(
    model: LinearModel,
    search: Search,
    certificate: LinearCertificate | None,
    cancel: threading.Event | None,
    stop: threading.Event,
    started: float,
) -> LinearProof:
    arrays = model.arrays()
    claim = None if certificate is None else certificate.claim
    infeasible = certificate is not None and claim is None
    is_proven = infeasible or (
        claim is not None
        and search.goal is not None
        and search.goal.is_settled_by(arrays.sign * (claim - arrays.offset))
    )
    if is_proven:
        termination, reason = Termination.PROVEN, "every part of the tree is settled"
    elif cancel is not None and cancel.is_set():
        termination, reason = Termination.CANCELLED, "cancelled"
    elif stop.is_set() or search.is_late:
        termination, reason = Termination.TIME_LIMIT, "no time was left"
    elif search.is_full:
        termination, reason = Termination.NODE_LIMIT, "the tree grew too large"
    elif search.is_unbounded:
        termination, reason = Termination.UNKNOWN, "the relaxation is unbounded"
    else:
        termination, reason = Termination.UNKNOWN, "rounding errors left a part unsettled"
    bound: int | Fraction | None = claim
    if claim is not None and arrays.objective_step is not None:
        bound = int(claim)
    return LinearProof(
        certificate=certificate,
        bound=bound,
        infeasible=infeasible,
        values=search.values,
        objective=search.objective,
        nodes=search.nodes,
        seconds=time.monotonic() - started,
        termination=termination,
        reason=f"branch and bound of {search.nodes} nodes: {reason}",
    )
