"""The placement problem: on which node each function of several workflows runs; and its solution.

Symbols, used alike in formulations and documentation: workflow w, function i, data edge
e = (i, j), node n, resource r; D_nm the route latency at the step of the edge's target.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from leotrek_opt.models.base import (
    Identifier,
    Label,
    StrictModel,
    nearest_name,
    rejection,
)
from leotrek_opt.models.continuum import Continuum
from leotrek_opt.models.workflow import Function, Workflow


class PlacementObjective(StrictModel):
    """What is minimised.

    ``sum_latency`` is the sum over data edges of the route latency (the metric of the HyperDrive
    paper: no execution, no transfer). ``critical_path`` is finish minus arrival of a workflow,
    where a function starts when the last of its inputs has arrived. ``data_sources`` adds the
    latency of every data source to the sum, or its transfer to the path. Several workflows count
    by their sum or by their maximum.
    """

    metric: Literal["sum_latency", "critical_path"] = "sum_latency"
    data_sources: bool = False
    aggregate: Literal["sum", "max"] = "sum"

    @property
    def name(self) -> str:
        """Short form, such as ``sum_latency+data_sources`` or ``max critical_path``."""
        text = self.metric + ("+data_sources" if self.data_sources else "")
        return text if self.aggregate == "sum" else f"max {text}"


class ThermalRule(StrictModel):
    """Nodes with a heat profile must stay at or below a limit while a function runs.

    With m the execution time in minutes and c the cores the function asks for,
    ``hyperdrive`` estimates ``int(T_orbit m) mod int(T_max) + heating c m - radiated m`` (as
    published; a longer function can come out cooler). ``monotone`` starts from the hotter of the
    current and the orbit's base temperature and adds ``max(0, heating c - radiated) m``; with
    ``time_constant_min`` t the last m becomes ``t (1 - exp(-m / t))``, rounded half to even to
    1e-9. A function without execution time leaves the current temperature.
    """

    model: Literal["monotone", "hyperdrive"] = "monotone"
    limit: Literal["max", "recommended"] = "max"
    time_constant_min: Annotated[float, Field(gt=0, le=1e6)] | None = None

    @model_validator(mode="after")
    def _constant_fits_the_model(self) -> Self:
        if self.time_constant_min is not None and self.model != "monotone":
            raise rejection("time_constant_min", "only the monotone model has a time constant")
        return self


class PlacementProblem(StrictModel):
    """Several workflows that share the capacities of one continuum."""

    kind: Literal["placement"] = "placement"
    version: Literal[1] = 1
    id: Identifier = "placement"
    label: Label = ""
    continuum: Continuum
    workflows: Annotated[tuple[Workflow, ...], Field(min_length=1, max_length=10_000)]
    objective: PlacementObjective = PlacementObjective()
    thermal: ThermalRule | None = None
    forwarding: Literal["cut_through", "store_and_forward"] = "cut_through"

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        nodes = set(self.continuum.nodes.id)
        names: set[str] = set()
        functions: set[str] = set()
        for index, workflow in enumerate(self.workflows):
            if workflow.id in names:
                raise rejection(f"workflows[{index}].id", f'duplicate workflow "{workflow.id}"')
            names.add(workflow.id)
            for row, function in enumerate(workflow.functions):
                functions.add(f"{workflow.id}/{function.id}")
                self._check_function(function, f"workflows[{index}].functions[{row}]", nodes)
        for index, event in enumerate(self.continuum.events):
            for name in event.except_functions:
                if name not in functions:
                    raise rejection(
                        f"continuum.events[{index}].except_functions",
                        f'no function "{name}"{nearest_name(name, functions)}',
                    )
        return self

    def _check_function(self, function: Function, at: str, nodes: set[str]) -> None:
        steps = self.continuum.time.steps
        if function.step >= steps:
            raise rejection(f"{at}.step", f"there are only {steps} steps, got {function.step}")
        if function.hold != "forever" and function.hold.end > steps:
            raise rejection(f"{at}.hold.end", f"there are only {steps} steps")
        if function.pinned is not None and function.pinned not in nodes:
            raise rejection(
                f"{at}.pinned",
                f'no node "{function.pinned}"{nearest_name(function.pinned, nodes)}',
            )
        for row, source in enumerate(function.data_sources):
            if source.node not in nodes:
                raise rejection(
                    f"{at}.data_sources[{row}].node",
                    f'no node "{source.node}"{nearest_name(source.node, nodes)}',
                )


class Assignment(StrictModel):
    """One function on one node."""

    workflow: Identifier
    function: Identifier
    node: Identifier


class PlacementSolution(StrictModel):
    """Where each function runs; functions that a heuristic could not place are missing."""

    kind: Literal["solution"] = "solution"
    version: Literal[1] = 1
    problem_kind: Literal["placement"] = "placement"
    problem_digest: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    assignments: tuple[Assignment, ...]

    def node_of(self, workflow: str, function: str) -> str | None:
        """Return the node of a function, or None if it is not placed.

        Parameters
        ----------
        workflow, function
            Identifiers.

        Returns
        -------
        str or None
            Node identifier.
        """
        for assignment in self.assignments:
            if assignment.workflow == workflow and assignment.function == function:
                return assignment.node
        return None


class Violation(StrictModel):
    """A rule that a solution breaks, in words."""

    rule: Literal[
        "assignment",
        "pinned",
        "architecture",
        "accelerator",
        "availability",
        "capacity",
        "temperature",
        "route",
        "max_latency",
        "data_source",
        "response_time",
    ]
    subject: str
    message: str


class LinkLatency(StrictModel):
    """What one data edge or data source costs in a solution.

    ``latency_ms`` and ``transfer_ms`` are None where no route exists.
    """

    workflow: str
    source: str
    target: str
    is_data_source: bool
    latency_ms: float | None
    transfer_ms: float | None
    max_latency_ms: float | None


class FunctionTemperature(StrictModel):
    """Temperature of a node with a heat profile while a function runs on it."""

    workflow: str
    function: str
    node: str
    temperature_c: float
    recommended_temperature_c: float
    max_temperature_c: float


class WorkflowValue(StrictModel):
    """What one workflow adds to the objective; ``response_ms`` is its critical path."""

    workflow: str
    value_ms: float | None
    response_ms: float | None
    response_time_slo_ms: float | None


class PlacementBreakdown(StrictModel):
    """The objective, part by part."""

    workflows: tuple[WorkflowValue, ...]
    links: tuple[LinkLatency, ...]
    temperatures: tuple[FunctionTemperature, ...] = ()
