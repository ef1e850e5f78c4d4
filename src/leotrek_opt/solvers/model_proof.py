"""From one engine's claim about a linear model to a certificate, or to a second opinion."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, replace

from leotrek_opt.errors import EngineError, MissingDependencyError, UnsupportedError
from leotrek_opt.models.certificate import LinearCertificate
from leotrek_opt.solvers.certificate.branch import linear_bound
from leotrek_opt.solvers.engines import engine_named
from leotrek_opt.solvers.engines.answers import bound_meets
from leotrek_opt.solvers.engines.protocol import (
    Engine,
    EngineResult,
    Feature,
    Limits,
    Termination,
    model_features,
)
from leotrek_opt.solvers.exact.linear.prove import prove
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.status import Proof, Status

MAX_PROOF_NODES = 5_000
"""Nodes of our own branch and bound, where no time limit ends it: the same on every machine."""
MAX_PROOF_NONZEROS = 300_000
SECOND_OPINION_S = 60.0
"""Seconds that a second engine may take where no time limit is given."""
PROOF_SHARE = 0.6
"""Share of the time left that our own proof may take before a second engine is asked."""
SECOND_ENGINES = ("cpsat", "scip", "highs")
"""In the order in which they are asked, the first one of another family than the claim."""


@dataclass(frozen=True, eq=False)
class Strengthened:
    """A result and what now stands behind its bound.

    Parameters
    ----------
    found
        The engine's result; an error if it was refuted, with a better bound if one was derived.
    proof
        How the bound is known.
    certificate
        From which it can be derived again, or None.
    messages
        What was tried and how it ended, for people.
    """

    found: EngineResult
    proof: Proof
    certificate: LinearCertificate | None
    messages: tuple[str, ...]


def strengthened(
    model: LinearModel,
    engine: Engine,
    found: EngineResult,
    limits: Limits,
    time_limit_s: float | None,
    cancel: threading.Event | None = None,
) -> Strengthened:
    """Bring the proof of a result to ``certified``, or else to ``confirmed``.

    Parameters
    ----------
    model
        What was solved.
    engine
        By which engine.
    found
        Its result.
    limits
        Under which; a second engine gets the same, less the time that is spent.
    time_limit_s
        Seconds left, None for no limit.
    cancel
        Set it to stop.

    Returns
    -------
    Strengthened
        An error with both values if certificate or second engine contradict the result.
    """
    started = time.monotonic()
    claims = found.bound is not None or found.status is Status.INFEASIBLE
    if not claims or found.status in (Status.ERROR, Status.UNBOUNDED):
        proof = Proof.NONE if found.status is Status.ERROR or not claims else Proof.CLAIMED
        if found.status is Status.UNBOUNDED:
            proof = Proof.CLAIMED
        return Strengthened(found, proof, None, ())
    messages: list[str] = []
    if model.n_nonzeros <= MAX_PROOF_NONZEROS:
        share = None if time_limit_s is None else max(0.0, PROOF_SHARE * time_limit_s)
        certified = _certified(model, engine, found, limits, share, cancel, messages)
        if certified is not None:
            return certified
    else:
        messages.append(f"no certificate was tried: {model.n_nonzeros:,} nonzeros")
    left_s = SECOND_OPINION_S
    if time_limit_s is not None:
        left_s = max(0.0, time_limit_s - (time.monotonic() - started))
    return _confirmed(model, engine, found, replace(limits, time_limit_s=left_s), cancel, messages)


def _certified(
    model: LinearModel,
    engine: Engine,
    found: EngineResult,
    limits: Limits,
    time_limit_s: float | None,
    cancel: threading.Event | None,
    messages: list[str],
) -> Strengthened | None:
    try:
        attempt = prove(
            model,
            incumbent=found.objective,
            time_limit_s=time_limit_s,
            max_nodes=MAX_PROOF_NODES if time_limit_s is None else None,
            seed=limits.seed,
            cancel=cancel,
        )
    except EngineError as error:
        messages.append(str(error))
        return None
    messages.append(attempt.reason)
    better = attempt.objective
    if better is not None:
        refutes = found.status is Status.INFEASIBLE or (
            found.bound is not None
            and model.arrays().sign * (found.bound - better) > 0
            and not bound_meets(better, found.bound)
        )
        if refutes:
            claim = "infeasible" if found.bound is None else f"a bound of {found.bound}"
            return _refuted(found, f"{engine.name} claims {claim}, but {better} is feasible")
    if attempt.certificate is None:
        return None
    verdict = linear_bound(model.arrays(), attempt.certificate)
    if found.status is Status.INFEASIBLE:
        if verdict.infeasible:
            return Strengthened(found, Proof.CERTIFIED, attempt.certificate, ())
        return None
    if verdict.infeasible and found.objective is not None:
        return _refuted(found, "the certificate says infeasible, yet there is a feasible solution")
    bound, claimed = verdict.bound, found.bound
    if bound is None or claimed is None:
        return None
    sign = model.arrays().sign
    if sign * (bound - claimed) < 0 and not (
        found.status is Status.OPTIMAL
        and found.objective is not None
        and bound_meets(found.objective, float(bound))
    ):
        return None
    carried = int(bound) if bound.denominator == 1 else float(bound)
    if not isinstance(carried, int):
        # Towards the safe side, so that what is claimed is what the certificate carries.
        carried = math.nextafter(carried, -sign * math.inf)
    status, termination = found.status, found.termination
    if found.objective is not None and bound_meets(found.objective, carried):
        status, termination = Status.OPTIMAL, Termination.PROVEN
    proven = replace(found, bound=carried, status=status, termination=termination)
    return Strengthened(proven, Proof.CERTIFIED, attempt.certificate, ())


def _confirmed(
    model: LinearModel,
    engine: Engine,
    found: EngineResult,
    limits: Limits,
    cancel: threading.Event | None,
    messages: list[str],
) -> Strengthened:
    needed = model_features(model)
    for name in SECOND_ENGINES:
        try:
            second = engine_named(name)
        except MissingDependencyError as error:
            messages.append(str(error))
            continue
        if second.family != engine.family and needed <= second.features:
            break
    else:
        return Strengthened(found, Proof.CLAIMED, None, tuple(messages))
    limits = replace(limits, cutoff=None, target=None, max_nodes=None, memory_limit_mib=None)
    if Feature.THREADS not in second.features:
        limits = replace(limits, threads=1)
    try:
        other = second.solve(model, limits, cancel=cancel)
    except (EngineError, UnsupportedError) as error:
        return Strengthened(found, Proof.CLAIMED, None, (*messages, str(error)))
    contradiction = _contradiction(model, found, other)
    if contradiction:
        return _refuted(found, f"{engine.name} and {second.name} disagree: {contradiction}")
    if _agrees(model, found, other):
        return Strengthened(found, Proof.CONFIRMED, None, (f"{second.name} agrees",))
    return Strengthened(
        found, Proof.CLAIMED, None, (*messages, f"{second.name} ended undecided: {other.status}")
    )


def _contradiction(model: LinearModel, one: EngineResult, other: EngineResult) -> str:
    """Return in words what one engine claims and the other has refuted, both values shown."""
    if other.status is Status.UNBOUNDED and one.status is not Status.INFEASIBLE:
        return f"one says that {one.bound} is a bound, the other that the objective has none"
    if one.status is Status.INFEASIBLE or other.status is Status.INFEASIBLE:
        solved = other if one.status is Status.INFEASIBLE else one
        if solved.values is None:
            return ""
        return f"one says infeasible, the other has a solution worth {solved.objective}"
    sign = model.arrays().sign
    for claim, answer in ((one, other), (other, one)):
        if claim.bound is None or answer.objective is None:
            continue
        if sign * (claim.bound - answer.objective) > 0 and not bound_meets(
            answer.objective, claim.bound
        ):
            return f"one says that {claim.bound} is a bound, the other has {answer.objective}"
    return ""


def _agrees(model: LinearModel, found: EngineResult, other: EngineResult) -> bool:
    if found.status is Status.INFEASIBLE:
        return other.status is Status.INFEASIBLE
    if found.bound is None or other.bound is None:
        return False
    sign = model.arrays().sign
    return sign * (other.bound - found.bound) >= 0 or bound_meets(found.bound, other.bound)


def _refuted(found: EngineResult, sentence: str) -> Strengthened:
    return Strengthened(replace(found, status=Status.ERROR, message=sentence), Proof.NONE, None, ())
