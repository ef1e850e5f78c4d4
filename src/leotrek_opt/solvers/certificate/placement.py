"""Deriving a lower bound on a placement problem again, from its certificate and nothing else.

The bound is derived in exact integers and by its own code: it needs no solver, and shares with the
exact method only the arrays of the problem. Its argument, step by step:

1. *Domains.* Start from the nodes that the rules about single functions allow. Delete those from
   which some edge cannot keep its latency limit, and those that functions with only one node have
   filled (:mod:`.domains`). No feasible placement is lost.
2. *Relaxation.* Prices of the certificate stand for shared capacities, trees for workflows, and for
   critical paths the longest of least remaining times (:mod:`.relaxation`, :mod:`.workflows`). What
   comes out is at most the value of any feasible placement. Values are whole ns, so it may be
   rounded up.
3. *Refutation.* To show that nothing is below a target, delete candidates whose bound is not below
   it, and try what is left case by case (:mod:`.refutation`).

While candidates are many, messages come from searches through the links. These do not look at
latency limits and underestimate transfers over links of different bandwidths (:mod:`.messages`):
bounds get lower, never too high. A problem is infeasible if nothing is below a target that is above
every value that a placement can have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from leotrek_opt.errors import InputError
from leotrek_opt.models.canonical import digest
from leotrek_opt.models.certificate import PlacementCertificate
from leotrek_opt.solvers.certificate.domains import (
    Occupancy,
    allowed_candidates,
    count,
    within_limits,
)
from leotrek_opt.solvers.certificate.messages import Network, RouteMessenger
from leotrek_opt.solvers.certificate.refutation import refute
from leotrek_opt.solvers.certificate.relaxation import Relaxation, no_prices, read_prices

if TYPE_CHECKING:
    from leotrek_opt.solvers.arrays.placement import PlacementArrays


@dataclass(frozen=True)
class Verdict:
    """What can be derived from a problem and a certificate.

    Parameters
    ----------
    bound_ns
        No feasible placement has a smaller objective; None if there is no feasible placement.
    infeasible
        Whether it is proven that there is none.
    messages
        How far each step came, for people.
    """

    bound_ns: int | None
    infeasible: bool
    messages: tuple[str, ...] = ()

    def confirms(self, certificate: PlacementCertificate) -> bool:
        """Tell whether what the certificate claims has been derived.

        Parameters
        ----------
        certificate
            The one that was read.

        Returns
        -------
        bool
            True if the bound is at least the claimed one; infeasibility confirms every claim.
        """
        if self.infeasible or self.bound_ns is None:
            return self.infeasible
        return certificate.bound_ns is not None and self.bound_ns >= certificate.bound_ns


def placement_bound(arrays: PlacementArrays, certificate: PlacementCertificate) -> Verdict:
    """Derive a lower bound on the objective of every feasible placement.

    Parameters
    ----------
    arrays
        The problem.
    certificate
        Prices, and what they are said to prove.

    Returns
    -------
    Verdict
        Valid for every certificate; whether it reaches the claim is for the reader to compare.

    Raises
    ------
    leotrek_opt.errors.InputError
        If the certificate belongs to another problem, or names what this one does not have.
    """
    _check_digest(arrays, certificate)
    prices = read_prices(arrays, certificate)
    network = Network(arrays, certificate.denominator)
    relaxations = [Relaxation(network, no_prices(arrays))]
    if certificate.multipliers:
        relaxations.append(Relaxation(network, prices))
    occupancy = Occupancy(arrays)
    candidates = within_limits(network, occupancy.beside_fixed(allowed_candidates(arrays)))
    messages = [f"{count(candidates)} pairs of function and node are possible"]
    bounds = None
    if all(candidates.values()):
        bounds = relaxations[0].bounds(RouteMessenger(network), candidates)
    if bounds is None:
        return Verdict(None, True, (*messages, "some function has no node left"))
    bound = bounds.value_ns(network.denominator)
    messages.append(f"relaxation: no placement is below {bound} ns")
    unreachable = _ceiling_ns(network) + 1
    claims = {claim for claim in (certificate.bound_ns, certificate.target_ns) if claim is not None}
    for target in sorted(claims or {unreachable}):
        refuted = refute(relaxations, occupancy, candidates, bounds, target)
        bound = max(bound, refuted)
        outcome = "nothing is below it" if refuted == target else f"reached {refuted} ns"
        messages.append(f"target {target} ns: {outcome}")
    if bound >= unreachable:
        return Verdict(None, True, (*messages, "every placement would be below that"))
    return Verdict(bound, False, tuple(messages))


def _check_digest(arrays: PlacementArrays, certificate: PlacementCertificate) -> None:
    expected = digest(arrays.problem)
    if certificate.problem_digest != expected:
        raise InputError(
            f"belongs to another problem; this one has the digest {expected}",
            field="problem_digest",
        )


def _ceiling_ns(network: Network) -> int:
    """Return a value that no placement exceeds: all functions and edges as dear as they can be.

    A route has fewer links than there are nodes, and each costs at most the dearest; workflows and
    paths are at most the sum of their parts.
    """
    arrays = network.arrays
    total = 0
    for function in range(arrays.n_functions):
        nodes = arrays.allowed[function]
        for row in (arrays.unary_ns[function], arrays.source_ready_ns[function]):
            total += int(row[nodes].max(initial=0))
    for edge, item in enumerate(arrays.edges):
        _, transmission = network.transmissions(edge)
        hop = int(item.link.graph.weight.max(initial=0)) + transmission // network.denominator
        total += hop * arrays.n_nodes
    return total
