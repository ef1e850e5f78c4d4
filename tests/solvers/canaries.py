"""Knapsacks on which HiGHS has been seen to call a wrong value optimal.

Each takes one (time, cost) option a step within a total time. Steps repeat a few profiles, as the
functions of a workflow do, so the models have many symmetries. They were found by drawing such
knapsacks at random and comparing runs with dynamic programming.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leotrek_opt.solvers.matrix import MatrixModel, model_from_arrays


@dataclass(frozen=True)
class Canary:
    """One knapsack.

    Attributes
    ----------
    name
        For people.
    profiles
        Options (milliseconds, cost) of each profile.
    steps
        Profile of each step.
    limit_ms
        Largest total time.
    optimum
        Least cost, by dynamic programming.
    unit_ms
        Milliseconds in the unit of the row that HiGHS 1.13.1 gets wrong.
    """

    name: str
    profiles: tuple[tuple[tuple[int, int], ...], ...]
    steps: tuple[int, ...]
    limit_ms: int
    optimum: int
    unit_ms: int

    def options(self) -> list[tuple[tuple[int, int], ...]]:
        """Return the options of every step."""
        return [self.profiles[profile] for profile in self.steps]

    def model(self) -> MatrixModel:
        """Build the model from arrays, with the times as floats in the unit that goes wrong."""
        options = self.options()
        lengths = [len(step) for step in options]
        time_ms, cost = np.array([option for step in options for option in step]).T
        starts = np.cumsum([0, *lengths, cost.size])
        return model_from_arrays(
            cost=cost,
            upper=1,
            integer=True,
            indptr=starts,
            indices=np.concatenate([np.arange(cost.size)] * 2),
            data=np.concatenate([np.ones(cost.size), time_ms / self.unit_ms]),
            row_lower=[1] * len(options) + [-np.inf],
            row_upper=[1] * len(options) + [self.limit_ms / self.unit_ms],
        )


def least_cost(canary: Canary) -> int:
    """Solve by dynamic programming over (time, cost), dominated states left out; no solver."""
    time_ms: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
    cost: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
    for step in canary.options():
        time_ms = np.concatenate([time_ms + option for option, _ in step])
        cost = np.concatenate([cost + price for _, price in step])
        kept = time_ms <= canary.limit_ms
        order = np.lexsort((cost[kept], time_ms[kept]))
        time_ms, cost = time_ms[kept][order], cost[kept][order]
        best = np.minimum.accumulate(cost)
        better = np.concatenate([[True], best[1:] < best[:-1]])
        time_ms, cost = time_ms[better], cost[better]
    return int(cost.min())


# fmt: off
SECONDS = Canary(
    "seconds",
    profiles=(
        ((12110, 31441), (21891, 18286), (23907, 11196), (34229, 9843), (35737, 5502)),
        ((7327, 11390), (9558, 10121), (9749, 8996), (15915, 8442), (20563, 4797)),
        ((9734, 25869), (22723, 21603), (28628, 2987)),
        ((75242, 158822), (125629, 86335), (204786, 23264)),
        ((352, 825), (578, 510), (727, 196), (921, 151)),
        ((227, 684), (370, 245), (613, 28), (631, 9)),
        ((135063, 145756), (261121, 101424), (314517, 39279)),
        ((178535, 362032), (316130, 326888), (354486, 162529)),
        ((3536, 6953), (3809, 2409), (7100, 815), (10503, 136)),
        ((8499, 30080), (10412, 25596), (11691, 14287), (12024, 3859)),
        ((1037, 2324), (1574, 967), (2926, 109), (3002, 65)),
        ((1164, 2913), (1208, 2375), (2215, 1461), (2916, 875), (3339, 641)),
    ),
    steps=(
        0, 1, 2, 3, 4, 5, 6, 4, 6, 5, 4, 4, 7, 3, 4, 1, 8, 2, 1, 2,
        0, 9, 9, 3, 4, 5, 9, 9, 5, 5, 8, 6, 10, 11, 5, 5, 9, 4, 8, 5,
    ),
    limit_ms=1_426_888,
    optimum=928_176,
    unit_ms=1000,
)
MILLISECONDS = Canary(
    "milliseconds",
    profiles=(
        ((131500, 440746), (136618, 381528), (319695, 208041)),
        ((1233, 3764), (1615, 1419), (3318, 363)),
        ((549, 811), (865, 759), (1047, 493)),
        ((29588, 90375), (48849, 74451), (52260, 24583), (70826, 6773)),
        ((153242, 329869), (177090, 164761), (408510, 116884)),
        ((439, 1725), (620, 1484), (731, 862), (1134, 617), (1234, 207)),
        ((12734, 35062), (19712, 10211), (20766, 1432)),
        ((1187, 2233), (1572, 1510), (1574, 942), (3221, 859), (3487, 386)),
        ((4499, 7537), (9844, 5851), (12285, 3749), (12625, 761)),
        ((3726, 5767), (6986, 4295), (8894, 2170), (11144, 988)),
        ((696, 2733), (817, 916), (979, 624), (1115, 469), (1456, 162)),
        ((42036, 40657), (98968, 28296), (113460, 15986)),
    ),
    steps=(
        0, 0, 1, 0, 2, 3, 4, 0, 5, 6, 6, 4, 7, 3, 8, 6, 1, 8, 1, 4,
        9, 2, 5, 9, 4, 3, 9, 0, 6, 10, 3, 0, 9, 10, 11, 1, 7, 8, 2, 4,
    ),
    limit_ms=3_517_339,
    optimum=2_130_905,
    unit_ms=1,
)
OTHER_MILLISECONDS = Canary(
    "other-milliseconds",
    profiles=(
        ((1801, 3719), (2237, 3324), (3035, 1964)),
        ((97791, 217312), (135954, 99688), (291252, 73249)),
        ((154363, 359665), (260598, 79846), (350527, 49967)),
        ((27811, 92714), (49146, 21300), (77183, 13500)),
        ((128679, 111463), (189595, 44675), (195572, 20459)),
        ((4513, 4561), (6457, 1077), (6752, 290), (12720, 269)),
        ((129446, 158811), (133935, 28988), (371200, 8853)),
        ((569, 1202), (598, 837), (754, 705), (792, 589)),
        ((2266, 3018), (2660, 1264), (2991, 615), (3814, 191), (6748, 180)),
        ((10911, 29376), (24672, 7157), (26612, 2590)),
        ((424, 1313), (781, 175), (828, 20), (868, 5), (966, 2)),
        ((11209, 37185), (19345, 9709), (30320, 6073), (30540, 5657)),
    ),
    steps=(
        0, 1, 2, 3, 4, 0, 2, 5, 6, 5, 7, 8, 3, 8, 0, 6, 0, 9, 4, 1,
        3, 2, 10, 8, 7, 11, 9, 3, 6, 0, 4, 1, 4, 1, 10, 0, 9, 0, 7, 8,
    ),
    limit_ms=2_939_438,
    optimum=906_357,
    unit_ms=1,
)
# fmt: on

CANARIES = (SECONDS, MILLISECONDS, OTHER_MILLISECONDS)
