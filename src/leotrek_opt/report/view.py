"""From which side a globe is looked at."""

from __future__ import annotations

import math

import numpy as np

from leotrek_opt.report.lines import Globe
from leotrek_opt.report.topology_picture import TopologyPicture

_MAX_LATITUDE_DEG = 45.0
_MAX_CANDIDATES = 200


def view(picture: TopologyPicture) -> Globe:
    """Look at the middle of the route, or from above the ground node with the most others in view.

    Parameters
    ----------
    picture
        What is drawn.

    Returns
    -------
    Globe
        Never from far north or south, where maps look strange.
    """
    if picture.route is not None:
        path = picture.route.path_km
        places = path[np.isfinite(path).all(axis=1)] if len(path) else picture.route.position_km
        candidates = places[len(places) // 2, None]
    elif picture.ground:
        places = np.concatenate([group.position_km for group in picture.ground])
        candidates = places[:: math.ceil(len(places) / _MAX_CANDIDATES)]
    else:
        return Globe(20.0, 10.0)
    places = places / np.linalg.norm(places, axis=1)[:, None]
    candidates = candidates / np.linalg.norm(candidates, axis=1)[:, None]
    seen = np.maximum(candidates @ places.T, 0.0).sum(axis=1)
    x, y, z = candidates[int(seen.argmax())].tolist()
    latitude = math.degrees(math.asin(z))
    latitude = max(-_MAX_LATITUDE_DEG, min(_MAX_LATITUDE_DEG, latitude))
    return Globe(latitude, math.degrees(math.atan2(y, x)))
