"""What every solver engine takes, gives back and declares."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from leotrek_opt.errors import InputError, UnsupportedError
from leotrek_opt.solvers.linear import LinearModel
from leotrek_opt.solvers.status import Status

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class EngineEvent:
    """A better solution, a better bound, or a sign of life of a running engine.

    Attributes
    ----------
    objective, bound
        Best known values so far, in the model's own sense; None while unknown. They are not less
        checked than those of a result, but a later event may still improve on them.
    nodes
        Branch-and-bound nodes (for CP-SAT: branches) so far, 0 where the engine does not say.
    values
        The better solution that this event is about, shape (n,), integer columns exact; None if the
        event is about the bound or the nodes only.
    """

    objective: float | None
    bound: float | None
    nodes: int = 0
    values: FloatArray | None = None


EventCallback = Callable[[EngineEvent], None]


class Feature(StrEnum):
    """What an engine can do; whatever it does not declare, it refuses."""

    CONTINUOUS = "continuous"
    """Takes continuous columns as such."""
    INTEGER = "integer"
    """Takes integer columns."""
    INFINITE_BOUNDS = "infinite_bounds"
    """Takes continuous columns without a lower or upper bound."""
    DUALS = "duals"
    """Gives row and column duals of a linear program."""
    WARM_START = "warm_start"
    """Starts from a complete solution."""
    INCUMBENTS = "incumbents"
    """Reports better solutions while it runs."""
    BOUNDS = "bounds"
    """Reports better bounds while it runs."""
    INTERRUPT = "interrupt"
    """Can be cancelled while it runs."""
    TIME_LIMIT = "time_limit"
    NODE_LIMIT = "node_limit"
    GAP = "gap"
    """Stops within a relative or absolute gap."""
    CUTOFF = "cutoff"
    """Prunes whatever is no better than a given objective."""
    TARGET = "target"
    """Stops at a solution as good as a given objective."""
    THREADS = "threads"
    """Takes more than one thread."""
    MEMORY_LIMIT = "memory_limit"
    """Ends by itself before it takes more memory than allowed."""
    SEED = "seed"
    """The same seed gives the same run, with one thread and without a time limit."""


class Termination(StrEnum):
    """Why a run ended."""

    PROVEN = "proven"
    """The engine claims a proof: of optimality, infeasibility or unboundedness."""
    GAP = "gap"
    TIME_LIMIT = "time_limit"
    NODE_LIMIT = "node_limit"
    MEMORY_LIMIT = "memory_limit"
    ENGINE_LIMIT = "engine_limit"
    """Another limit of the engine, such as iterations."""
    CUTOFF = "cutoff"
    """The engine claims that nothing is better than the cutoff."""
    TARGET = "target"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """The engine gave up without saying why."""


@dataclass(frozen=True)
class Limits:
    """When to stop, and what a run may use.

    Parameters
    ----------
    time_limit_s
        Seconds from the call to the answer, or None. 0 returns the warm start at best.
    relative_gap
        Stop when objective and bound differ by at most this fraction of the objective.
    absolute_gap
        Stop when they differ by at most this much; None lets the engine choose so that ``optimal``
        means optimal.
    threads
        Number of threads.
    seed
        Seed of the engine's random numbers, 0 to 2**31 - 1.
    max_nodes
        Largest number of branch-and-bound nodes, or None. A limit that repeats, unlike time.
    cutoff
        Only solutions with a strictly better objective are wanted; None for no such limit.
    target
        Stop at a solution whose objective is at least as good; None for no such limit.
    memory_limit_mib
        Stop before the engine takes more memory than this; None for no such limit.

    Raises
    ------
    InputError
        If a value is out of range.
    """

    time_limit_s: float | None = None
    relative_gap: float = 0.0
    absolute_gap: float | None = None
    threads: int = 1
    seed: int = 0
    max_nodes: int | None = None
    cutoff: float | None = None
    target: float | None = None
    memory_limit_mib: int | None = None

    def __post_init__(self) -> None:
        for field in ("time_limit_s", "relative_gap", "absolute_gap"):
            value = getattr(self, field)
            if value is not None and not (_is_number(value) and value >= 0):
                raise InputError(f"must be a number >= 0, not {value!r}", field=field)
        for field, low in (
            ("threads", 1),
            ("seed", 0),
            ("max_nodes", 0),
            ("memory_limit_mib", 1),
        ):
            value = getattr(self, field)
            if value is not None and not (_is_integer(value) and low <= value < 2**31):
                raise InputError(
                    f"must be an integer in [{low}, 2**31), not {value!r}", field=field
                )
        for field in ("cutoff", "target"):
            value = getattr(self, field)
            if value is not None and not (_is_number(value) and math.isfinite(value)):
                raise InputError(f"must be a finite number, not {value!r}", field=field)

    def features(self) -> frozenset[Feature]:
        """Return the features an engine needs to keep these limits."""
        wanted = {
            Feature.TIME_LIMIT: self.time_limit_s is not None,
            Feature.GAP: self.relative_gap > 0 or self.absolute_gap is not None,
            Feature.THREADS: self.threads > 1,
            Feature.NODE_LIMIT: self.max_nodes is not None,
            Feature.CUTOFF: self.cutoff is not None,
            Feature.TARGET: self.target is not None,
            Feature.MEMORY_LIMIT: self.memory_limit_mib is not None,
        }
        return frozenset(feature for feature, is_wanted in wanted.items() if is_wanted)


@dataclass(frozen=True, eq=False)
class EngineResult:
    """What an engine found. All of it is the engine's claim except values and objective.

    Attributes
    ----------
    status
        ``optimal`` only if the bound meets the objective; a run that stopped within a gap is
        ``feasible``. ``interrupted`` after cancelling, with the best solution so far if any.
    termination
        Why the run ended.
    values
        float64, shape (n,), or None. Integer columns hold exact integers; a point of integers only
        keeps every row exactly.
    objective
        Objective of `values`, computed from the model: an int where that is exact.
    bound
        Proven side of the optimum in the model's own sense, or None where unknown. Rounded to the
        next value the objective can take, then an int.
    claimed_objective
        The engine's own word on `objective`, or None.
    nodes, iterations
        Branch-and-bound nodes and simplex, interior point or first-order iterations.
    seconds
        Wall time of the call.
    message
        What the engine says about its end, on one line.
    solution_count
        Number of solutions seen; 0 exactly if `values` is None.
    row_dual, column_dual
        For an optimal linear program: shapes (m,) and (n,), with
        ``column_dual = cost - A' row_dual`` in the model's own sense. When minimising, a row dual
        is >= 0 at a lower side and <= 0 at an upper side; when maximising the other way round.
    """

    status: Status
    termination: Termination
    values: FloatArray | None
    objective: float | None
    bound: float | None
    claimed_objective: float | None
    nodes: int
    iterations: int
    seconds: float
    message: str
    solution_count: int
    row_dual: FloatArray | None = None
    column_dual: FloatArray | None = None


class Engine(Protocol):
    """A solver of linear models. It holds no state: one object serves many threads."""

    @property
    def name(self) -> str:
        """Name by which users ask for it, such as ``highs``."""
        ...

    @property
    def family(self) -> str:
        """Code base it stands on; two engines of one family are one opinion."""
        ...

    @property
    def features(self) -> frozenset[Feature]:
        """What it can do."""
        ...

    def version(self) -> str:
        """Return the version of the solver behind it."""
        ...

    def solve(
        self,
        model: LinearModel,
        limits: Limits = ...,
        *,
        warm_start: ArrayLike | None = None,
        on_event: EventCallback | None = None,
        cancel: threading.Event | None = None,
        options: Mapping[str, object] | None = None,
    ) -> EngineResult:
        """Solve a model.

        Parameters
        ----------
        model
            The model; it is not changed.
        limits
            When to stop.
        warm_start
            A complete feasible point, shape (n,). The result is never worse.
        on_event
            Called on the calling thread while the engine runs, with better solutions, better bounds
            and now and then a sign of life. An exception raised in it stops the engine and then
            reaches the caller.
        cancel
            Set it, from any thread, to stop.
        options
            For what `limits` does not cover: words of the common vocabulary
            (:mod:`leotrek_opt.solvers.engines.options`), or the engine's own options by name.

        Returns
        -------
        EngineResult
            What was found.

        Raises
        ------
        InputError
            If the warm start breaks a rule, or an option is unknown or has a bad value.
        UnsupportedError
            If the model or the arguments need a feature that is not declared.
        EngineError
            If the solver fails, or claims what the model refutes.
        """
        ...


def model_features(model: LinearModel) -> frozenset[Feature]:
    """Return the features an engine needs to take a model.

    Parameters
    ----------
    model
        The model.

    Returns
    -------
    frozenset of Feature
        Any of ``integer``, ``continuous``, ``infinite_bounds``; a column that is implied to be
        integer needs none.
    """
    arrays = model.arrays()
    kinds = set(np.unique(arrays.kind).tolist())
    wanted = {
        Feature.CONTINUOUS: 0 in kinds,
        Feature.INTEGER: 1 in kinds,
        Feature.INFINITE_BOUNDS: bool((np.isinf(arrays.lower) | np.isinf(arrays.upper)).any()),
    }
    return frozenset(feature for feature, is_wanted in wanted.items() if is_wanted)


def require_features(engine: Engine, needed: Iterable[Feature]) -> None:
    """Refuse what an engine does not declare.

    Parameters
    ----------
    engine
        The engine asked.
    needed
        Features that the call needs.

    Raises
    ------
    UnsupportedError
        If one is missing; the text names all that are.
    """
    missing = sorted(set(needed) - engine.features)
    if missing:
        raise UnsupportedError(f"engine {engine.name} does not offer: {', '.join(missing)}")


def _is_integer(value: object) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_integer(value) or (isinstance(value, float) and not math.isnan(value))
