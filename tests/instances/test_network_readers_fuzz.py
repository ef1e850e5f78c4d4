"""Whatever bytes come, a reader of networks gives a network or an :class:`InputError`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.instances.networks import ABILENE_NATIVE, GRAPHML, SNDLIB_XML

from leotrek_opt.errors import InputError
from leotrek_opt.instances.graphml import read_graphml
from leotrek_opt.instances.network_file import NetworkFile
from leotrek_opt.instances.sndlib import read_sndlib

READERS = [(read_graphml, GRAPHML), (read_sndlib, SNDLIB_XML), (read_sndlib, ABILENE_NATIVE)]
PIECES = st.binary(max_size=4) | st.sampled_from(
    [b"<", b">", b"(", b")", b"\n", b'"', b"</node>", b"nan", b"1e999", b"-", b"\xff", b"\x1f\x8b"]
)


@pytest.mark.parametrize(("read", "text"), READERS)
@given(st.data())
def test_only_input_errors_escape(
    read: Callable[[bytes], NetworkFile], text: bytes, data: st.DataObject
) -> None:
    changed = bytearray(text)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(changed)))
        changed[at : at + data.draw(st.integers(0, 40))] = data.draw(PIECES)
    with suppress(InputError):
        network = read(bytes(changed))
        assert len(set(network.node)) == len(network.node) == len(network.latitude_deg)
        assert len(network.source) == len(network.target) == len(network.link_label)
        assert (network.source != network.target).all()


@pytest.mark.parametrize("read", [read_graphml, read_sndlib])
@given(st.binary(max_size=200))
def test_any_bytes_are_survived(read: Callable[[bytes], NetworkFile], data: bytes) -> None:
    with pytest.raises(InputError):
        read(data)
