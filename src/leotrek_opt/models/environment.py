"""What sunlight does to a satellite: eclipse, heat and charge."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from leotrek_opt.models.base import StrictModel, TemperatureC, rejection

Watts = Annotated[float, Field(ge=0, le=1e6)]


class ThermalModel(StrictModel):
    """A satellite as a single node that radiates.

    C dT/dt = P + absorptivity A_sun (S nu + albedo share) + emissivity A q_ir - emissivity sigma A
    T^4, with nu the sunlit fraction. Source: doi:10.15406/aaoaj.2021.05.00130.
    """

    initial_temperature_c: TemperatureC = 20.0
    heat_capacity_j_per_k: Annotated[float, Field(gt=0, le=1e9)] = 50_000.0
    radiating_area_m2: Annotated[float, Field(gt=0, le=10_000)] = 4.0
    sunlit_area_m2: Annotated[float, Field(ge=0, le=10_000)] = 1.0
    absorptivity: Annotated[float, Field(ge=0, le=1)] = 0.3
    emissivity: Annotated[float, Field(gt=0, le=1)] = 0.8
    solar_constant_w_m2: Annotated[float, Field(ge=0, le=2000)] = 1361.0
    albedo: Annotated[float, Field(ge=0, le=1)] = 0.3
    earth_infrared_w_m2: Annotated[float, Field(ge=0, le=500)] = 237.0
    idle_power_w: Watts = 100.0


class BatteryModel(StrictModel):
    """A battery that solar panels charge in sunlight and the satellite drains.

    It begins with ``initial_wh``, or full.
    """

    capacity_wh: Annotated[float, Field(gt=0, le=1e7)] = 1000.0
    initial_wh: Annotated[float, Field(ge=0, le=1e7)] | None = None
    panel_w: Watts = 400.0
    idle_power_w: Watts = 100.0
    charge_efficiency: Annotated[float, Field(gt=0, le=1)] = 0.95

    @model_validator(mode="after")
    def _begins_within_its_capacity(self) -> Self:
        if self.initial_wh is not None and self.initial_wh > self.capacity_wh:
            raise rejection("initial_wh", f"must be <= capacity_wh = {self.capacity_wh:g}")
        return self


class Environment(StrictModel):
    """Sunlight per step, and what follows from it where a model is given."""

    shadow: Literal["cylindrical", "conical"] = "cylindrical"
    thermal: ThermalModel | None = None
    battery: BatteryModel | None = None
