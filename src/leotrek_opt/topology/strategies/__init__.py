"""Which satellites are linked to each other, by the rule of a topology."""

from leotrek_opt.topology.strategies.checked import checked_strategy
from leotrek_opt.topology.strategies.choice import inter_satellite_strategy

__all__ = ["checked_strategy", "inter_satellite_strategy"]
