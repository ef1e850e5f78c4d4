"""The readers that are fuzzed: how each is called, good inputs, and words of its format."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Call = Callable[[bytes, Path, int], object]
"""Content, a file that may be written to, and the number of the input."""


@dataclass(frozen=True)
class Target:
    """A reader.

    Parameters
    ----------
    function
        Module and name.
    seeds
        Good inputs.
    tokens
        Words of the format.
    options
        Sets of options; inputs take turns.
    takes_bytes
        Whether it takes content; otherwise it is given a file.
    """

    function: str
    seeds: tuple[bytes, ...]
    tokens: tuple[bytes, ...]
    options: tuple[dict[str, Any], ...] = ({},)
    takes_bytes: bool = True

    def is_there(self) -> bool:
        """Tell whether this version has the reader."""
        module, _, name = self.function.rpartition(".")
        return importlib.util.find_spec(module) is not None and hasattr(
            importlib.import_module(module), name
        )

    def load(self) -> Call:
        """Import the reader."""
        module, _, name = self.function.rpartition(".")
        read = getattr(importlib.import_module(module), name)

        def call(data: bytes, file: Path, number: int) -> object:
            options = self.options[number % len(self.options)]
            if self.takes_bytes:
                return read(data, **options)
            file.write_bytes(data)
            return read(file, **options)

        return call


TLE = b"""# made for fuzzing
STATION A
1 25544U 98067A   24296.18312500  .00016717  00000-0  10270-3 0  9998
2 25544  51.6416 247.4627 0006703 130.5360 325.0288 15.72125391 56354
1 A0001U 24001B   24060.50000000 -.00000123 -12345-6 -10270-3 0  0012
2 A0001  97.6000 359.9999 0012345   0.0000 180.0000  1.00273790    12

0 1 STATION
1 00007U          00366.99999999  .00000000  00000-0  00000-0 0     7
2 00007   0.0000   0.0000 0000000   0.0000   0.0000  0.00010000     0
"""

MESSAGE: dict[str, Any] = {
    "OBJECT_NAME": "STATION A",
    "OBJECT_ID": "1998-067A",
    "EPOCH": "2024-10-22T04:23:42.000000",
    "MEAN_MOTION": 15.72125391,
    "ECCENTRICITY": 0.0006703,
    "INCLINATION": 51.6416,
    "RA_OF_ASC_NODE": 247.4627,
    "ARG_OF_PERICENTER": 130.536,
    "MEAN_ANOMALY": 325.0288,
    "EPHEMERIS_TYPE": 0,
    "CLASSIFICATION_TYPE": "U",
    "NORAD_CAT_ID": 25544,
    "ELEMENT_SET_NO": 999,
    "REV_AT_EPOCH": 5635,
    "BSTAR": 0.0001027,
    "MEAN_MOTION_DOT": 0.00016717,
    "MEAN_MOTION_DDOT": 0,
}
OTHER = MESSAGE | {"OBJECT_NAME": 'B "2", é', "NORAD_CAT_ID": 799501621}
META = {
    "CENTER_NAME": "EARTH",
    "REF_FRAME": "TEME",
    "TIME_SYSTEM": "UTC",
    "MEAN_ELEMENT_THEORY": "SGP4",
}
OMM_TOKENS = tuple(name.encode() for name in (*MESSAGE, *META, *META.values()))


def _csv(*messages: dict[str, Any]) -> bytes:
    rows = [",".join(MESSAGE)]
    for message in messages:
        rows.append(
            ",".join('"' + str(value).replace('"', '""') + '"' for value in message.values())
        )
    return "\r\n".join(rows).encode()


def _xml(*messages: dict[str, Any]) -> bytes:
    def part(message: dict[str, Any], names: tuple[str, ...]) -> str:
        values = {name: str(message[name]).replace("<", "") for name in names}
        return "\n".join(f"<{name}>{value}</{name}>" for name, value in values.items())

    names = tuple(MESSAGE)
    bodies = "".join(
        '<omm id="CCSDS_OMM_VERS" version="2.0"><header><ORIGINATOR/></header><body><segment>'
        f"<metadata>{part(message | META, (*names[:2], *META))}</metadata><data><meanElements>"
        f'{part(message, names[2:8])}</meanElements><tleParameters units="x">'
        f"{part(message, names[8:])}</tleParameters></data></segment></body></omm>\n"
        for message in messages
    )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<ndm>\n{bodies}</ndm>\n'.encode()


def _kvn(*messages: dict[str, Any]) -> bytes:
    return "".join(
        "CCSDS_OMM_VERS = 2.0\nCOMMENT x\n\n"
        + "".join(f"{name} = {value}\n" for name, value in (message | META).items())
        + "INCLINATION_X = 1 [deg]\n"
        for message in messages
    ).encode()


GRAPHML = b"""<?xml version="1.0" encoding="utf-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key attr.name="Network" attr.type="string" for="graph" id="d0" />
  <key attr.name="label" attr.type="string" for="node" id="d1" />
  <key attr.name="Latitude" attr.type="double" for="node" id="d2" />
  <key attr.name="Longitude" attr.type="double" for="node" id="d3" />
  <key attr.name="Internal" attr.type="int" for="node" id="d4"><default>1</default></key>
  <key attr.name="LinkSpeedRaw" attr.type="double" for="edge" id="d5" />
  <key attr.name="LinkSpeed" attr.type="string" for="edge" id="d6" />
  <key attr.name="LinkSpeedUnits" attr.type="string" for="edge" id="d7" />
  <key attr.name="LinkLabel" attr.type="string" for="edge" id="d8" />
  <graph edgedefault="undirected">
    <data key="d0">Sample</data>
    <node id="0"><data key="d1">Wien</data>
      <data key="d2">48.2</data><data key="d3">16.4</data></node>
    <node id="1"><data key="d1">Graz</data>
      <data key="d2">47.1</data><data key="d3">15.4</data></node>
    <node id="2"><data key="d1">?</data><data key="d4">0</data></node>
    <edge source="0" target="1"><data key="d5">10000000000.0</data></edge>
    <edge source="1" target="2"><data key="d6">2.5</data><data key="d7">G</data></edge>
    <edge source="0" target="2" id="e0"><data key="d8">&lt;10 Gbps</data></edge>
  </graph>
</graphml>
"""

SNDLIB_XML = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
<network xmlns="http://sndlib.zib.de/network" version="1.0">
 <meta><granularity>1month</granularity><time/><unit>MBITPERSEC</unit><origin>sample</origin></meta>
 <networkStructure>
  <nodes coordinatesType="geographical">
   <node id="Wien"><coordinates><x>16.37</x><y>48.21</y></coordinates></node>
   <node id="Graz"><coordinates><x>15.44</x><y>47.07</y></coordinates></node>
   <node id="Linz"><coordinates><x>14.29</x><y>48.31</y></coordinates></node>
  </nodes>
  <links>
   <link id="L1"><source>Wien</source><target>Graz</target>
    <preInstalledModule><capacity>155.0</capacity><cost>1.0</cost></preInstalledModule>
    <setupCost>0.0</setupCost>
    <additionalModules><addModule><capacity>622.0</capacity><cost>9.5</cost></addModule>
    </additionalModules></link>
   <link id="L2"><source>Graz</source><target>Linz</target></link>
  </links>
 </networkStructure>
 <demands>
  <demand id="D1"><source>Wien</source><target>Linz</target><routingUnit>1</routingUnit>
   <demandValue>12.5</demandValue><maxPathLength>4</maxPathLength>
   <admissiblePaths><admissiblePath id="P0"><linkId>L1</linkId><linkId>L2</linkId></admissiblePath>
   </admissiblePaths></demand>
 </demands>
</network>
"""

SNDLIB_NATIVE = b"""?SNDlib native format; type: network; version: 1.0
# network sample

META (
  granularity = 1month
  unit = MBITPERSEC
)

NODES (
  Wien ( 16.37 48.21 )
  Graz ( 15.44 47.07 )
  Linz ( 14.29 48.31 )
)

LINKS (
  L1 ( Wien Graz ) 155.00 1.00 0.00 0.00 ( 622.00 9.50 )
  L2 ( Graz Linz ) 0.00 0.00 0.00 0.00 ( 155.00 1.00 622.00 3.00 )
)

DEMANDS (
  D1 ( Wien Linz ) 1 12.50 4
)

ADMISSIBLE_PATHS (
  D1 (
    P0 ( L1 L2 )
  )
)
"""


def _stardust() -> bytes:
    def state(time: str, shift: float) -> dict[str, Any]:
        places = {
            "SAT-A": (6_928_137.0, 0.0, shift),
            "SAT-B": (6_900_000.0, 600_000.0, shift),
            "Graz": (4_194_000.0, 1_162_000.0, 4_647_000.0),
        }
        established = {"SAT-A": [0, 1], "SAT-B": [0], "Graz": [1]}
        return {
            "Time": time,
            "NodeStates": [
                {
                    "Name": name,
                    "Position": dict(zip("XYZ", place, strict=True)),
                    "Established": established[name],
                }
                for name, place in places.items()
            ],
        }

    document = {
        "StatePlugins": ["sun"],
        "Satellites": [
            {"Index": 0, "Name": "SAT-A", "ComputingType": 1},
            {"Index": 1, "Name": "SAT-B", "ComputingType": "Edge"},
        ],
        "Grounds": [{"Name": "Graz", "ComputingType": 2}],
        "Links": [
            {"NodeName1": "SAT-A", "NodeName2": "SAT-B"},
            {"NodeName1": "Graz", "NodeName2": "SAT-A"},
        ],
        "States": [
            state("2025-10-01T00:00:00Z", 0.0),
            state("2025-10-01T00:01:00.5-02:00", 4.5e5),
        ],
    }
    return json.dumps(document, indent=1).encode()


GROUND_CSV = (
    'gid,name,lat_deg,lon_deg,alt_m,kind\r\n0,"Wien, Mitte",48.2,16.4,151,cloud\r\n'
    "1,São Paulo,-23.5,-46.6,,\r\n"
).encode()

_OMM = "leotrek_opt.instances.omm.read_omm"

TARGETS = {
    "tle": Target(
        "leotrek_opt.instances.tle.read_tle",
        (TLE,),
        (b"1 25544U ", b"2 25544 ", b" 00000-0", b"Z9999", b"I0001", b"366.", b"0 NAME\n", b"#\n"),
        ({"verify_checksums": False, "allow_trailing": True, "duplicates": "all"}, {}),
    ),
    "omm-json": Target(
        _OMM,
        (json.dumps([MESSAGE, OTHER], indent=1).encode(), json.dumps(MESSAGE | META).encode()),
        (*OMM_TOKENS, b'"EPOCH":', b"},{", b"NaN", b"Infinity", b"-Infinity"),
    ),
    "omm-csv": Target(_OMM, (_csv(MESSAGE, OTHER, MESSAGE),), (*OMM_TOKENS, b'""', b",,", b"\r\n")),
    "omm-xml": Target(
        _OMM,
        (_xml(MESSAGE, OTHER),),
        (*OMM_TOKENS, b"<omm>", b"</omm>", b"<segment>", b' units="deg"', b'encoding="UTF-16"'),
    ),
    "omm-kvn": Target(_OMM, (_kvn(MESSAGE, OTHER),), (*OMM_TOKENS, b"COMMENT", b" = ", b"[deg]")),
    "ground-csv": Target(
        "leotrek_opt.instances.ground_csv.read_ground_csv",
        (GROUND_CSV,),
        (b"name", b"lat_deg", b"lon_deg", b"alt_m", b"kind", b"cloud", b",,", b"\r\n"),
        takes_bytes=False,
    ),
    "graphml": Target(
        "leotrek_opt.instances.graphml.read_graphml",
        (GRAPHML,),
        (b"<node>", b"<edge ", b'source="0"', b'id="1"', b"<data key=", b"Latitude", b"</graph>"),
    ),
    "sndlib": Target(
        "leotrek_opt.instances.sndlib.read_sndlib",
        (SNDLIB_XML, SNDLIB_NATIVE),
        (b"NODES (", b"LINKS (", b"DEMANDS (", b"<node id=", b"<link>", b"UNLIMITED", b"Wien"),
    ),
    "stardust": Target(
        "leotrek_opt.instances.stardust.read_stardust_state",
        (_stardust(),),
        (b'"Established"', b'"Name"', b'"Position"', b'"Time"', b'"States"', b"SAT-A", b'"X":'),
    ),
}
"""By name; ``omm`` in each of its forms."""
