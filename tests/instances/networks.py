"""Small networks in the formats in which they are published, for several tests."""

from __future__ import annotations

GRAPHML = b"""<?xml version="1.0" encoding="utf-8"?><graphml
  xmlns="http://graphml.graphdrawing.org/xmlns"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns
                      http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
  <key attr.name="Creator" attr.type="string" for="graph" id="d0" />
  <key attr.name="Network" attr.type="string" for="graph" id="d1" />
  <key attr.name="Internal" attr.type="int" for="node" id="d29" />
  <key attr.name="id" attr.type="int" for="node" id="d30" />
  <key attr.name="Country" attr.type="string" for="node" id="d31" />
  <key attr.name="Longitude" attr.type="double" for="node" id="d32" />
  <key attr.name="Latitude" attr.type="double" for="node" id="d33" />
  <key attr.name="label" attr.type="string" for="node" id="d34" />
  <key attr.name="LinkSpeed" attr.type="string" for="edge" id="d35" />
  <key attr.name="LinkLabel" attr.type="string" for="edge" id="d36" />
  <key attr.name="LinkSpeedUnits" attr.type="string" for="edge" id="d37" />
  <key attr.name="LinkSpeedRaw" attr.type="double" for="edge" id="d38" />
  <graph edgedefault="undirected">
    <data key="d0">Topology Zoo Toolset</data>
    <data key="d1">ACOnet</data>
    <node id="0">
      <data key="d29">1</data>
      <data key="d30">0</data>
      <data key="d31">Austria</data>
      <data key="d32">16.37208</data>
      <data key="d33">48.20849</data>
      <data key="d34">Wien 1</data>
    </node>
    <node id="1">
      <data key="d29">1</data>
      <data key="d31">Austria</data>
      <data key="d32">13.04399</data>
      <data key="d33">47.79941</data>
      <data key="d34">Salzburg</data>
    </node>
    <node id="2">
      <data key="d29">1</data>
      <data key="d31">Switzerland</data>
      <data key="d32">8.55</data>
      <data key="d33">47.36667</data>
      <data key="d34">Z\xc3\xbcrich</data>
    </node>
    <node id="3">
      <data key="d29">0</data>
      <data key="d34">G\xc3\x89ANT &amp; others</data>
    </node>
    <node id="4">
      <data key="d32">400.0</data>
      <data key="d33">47.0</data>
      <data key="d34">Wien 1</data>
    </node>
    <edge source="0" target="1">
      <data key="d35">10</data>
      <data key="d36">10 Gbps</data>
      <data key="d37">G</data>
      <data key="d38">10000000000.0</data>
    </edge>
    <edge source="1" target="2">
      <data key="d35">155</data>
      <data key="d37">M</data>
    </edge>
    <edge source="2" target="1" id="e3">
      <data key="d35">&lt;10</data>
      <data key="d37">G</data>
    </edge>
    <edge source="3" target="0">
      <data key="d36">Peering</data>
    </edge>
    <edge source="2" target="2" />
  </graph>
</graphml>
"""

ABILENE_NATIVE = b"""?SNDlib native format; type: network; version: 1.0
# network abilene

# META SECTION

META (
  granularity = 5min
  time = 20040301-0000 (first of many)
  unit = MBITPERSEC
)

# NODE SECTION
#
# <node_id> [(<longitude>, <latitude>)]

NODES (
  ATLAM5 ( -84.3833 33.75 )
  ATLAng ( -85.5 34.5 )
  CHINng ( -87.6167 41.8333 )
  DNVRng ( -105 40.75 )
  HSTNng ( -95.517364 29.770031 )
  IPLSng ( -86.159535 39.780622 )
  KSCYng ( -96.596704 38.961694 )
  LOSAng ( -118.25 34.05 )
  NYCMng ( -73.9667 40.7833 )
  SNVAng ( -122.02553 37.38575 )
  STTLng ( -122.3 47.6 )
  WASHng ( -77.026842 38.897303 )
)

# LINK SECTION
#
# <link_id> ( <source> <target> ) <pre_installed_capacity> <pre_installed_capacity_cost>
#   <routing_cost> <setup_cost> ( {<module_capacity> <module_cost>}* )

LINKS (
  ATLAM5_ATLAng ( ATLAM5 ATLAng ) 9920.00 0.00 0.00 0.00 ( 40000.00 133.00 )
  ATLAng_HSTNng ( ATLAng HSTNng ) 9920.00 0.00 0.00 0.00 ( 40000.00 1081.00 )
  ATLAng_IPLSng ( ATLAng IPLSng ) 2480.00 0.00 0.00 0.00 ( 10000.00 200.50 40000.00 591.00 )
  ATLAng_WASHng ( ATLAng WASHng ) 0.00 0.00 0.00 0.00 ( )
  CHINng_IPLSng ( CHINng IPLSng ) 9920.00 0.00 1.50 2.50 ( 40000.00 260.00 )
  CHINng_IPLSng2 ( IPLSng CHINng ) 9920.00 0.00 0.00 0.00 ( 40000.00 260.00 )
)

# DEMAND SECTION
#
# <demand_id> ( <source> <target> ) <routing_unit> <demand_value> <max_path_length>

DEMANDS (
  ATLAM5_CHINng ( ATLAM5 CHINng ) 1 12.5 UNLIMITED
  CHINng_ATLAM5 ( CHINng ATLAM5 ) 2 0.75 4
)

ADMISSIBLE_PATHS (
  ATLAM5_CHINng (
    P_1 ( ATLAM5_ATLAng ATLAng_IPLSng CHINng_IPLSng )
  )
)
"""

SNDLIB_XML = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
<network version="1.0"
  xmlns="http://sndlib.zib.de/network"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:schemaLocation="http://sndlib.zib.de/network http://sndlib.zib.de/network.xsd">
 <meta>
  <granularity>5min</granularity>
  <unit>MBITPERSEC</unit>
 </meta>
 <networkStructure>
  <nodes coordinatesType="geographical">
   <node id="ATLAM5"><coordinates><x>-84.3833</x><y>33.75</y></coordinates></node>
   <node id="ATLAng"><coordinates><x>-85.5</x><y>34.5</y></coordinates></node>
   <node id="M\xfcnchen"/>
  </nodes>
  <links>
   <link id="ATLAM5_ATLAng">
    <source>ATLAM5</source>
    <target>ATLAng</target>
    <preInstalledModule>
     <capacity>9920.0</capacity>
     <cost>0.0</cost>
    </preInstalledModule>
    <routingCost>1.5</routingCost>
    <additionalModules>
     <addModule><capacity>40000.0</capacity><cost>133.0</cost></addModule>
    </additionalModules>
   </link>
   <link id="L2"><source>ATLAng</source><target>M\xfcnchen</target></link>
   <link id="L3"><source>ATLAng</source><target>ATLAng</target></link>
  </links>
 </networkStructure>
 <demands>
  <demand id="D1">
   <source>ATLAM5</source>
   <target>ATLAng</target>
   <demandValue>12.5</demandValue>
   <routingUnit>2</routingUnit>
   <maxPathLength>3</maxPathLength>
   <admissiblePaths>
    <admissiblePath id="P_0"><linkId>ATLAM5_ATLAng</linkId></admissiblePath>
   </admissiblePaths>
  </demand>
  <demand id="D2">
   <source>ATLAng</source><target>ATLAM5</target><demandValue>7</demandValue>
  </demand>
 </demands>
</network>
"""
