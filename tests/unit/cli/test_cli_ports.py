"""Two installations that start in the same moment do not choose the same port."""

import pytest
from fastflow_cli.errors import UsageError
from fastflow_cli.local.ports import TRIES, free_ports, is_free, reserved


def test_a_reserved_port_is_nobody_elses_although_nobody_listens_yet() -> None:
    [start] = free_ports(1)
    with reserved(start) as first, reserved(start) as second:
        assert first < second < start + TRIES
        assert is_free("127.0.0.1", first)
    with reserved(first) as again:
        assert again == first


def test_ports_asked_for_together_differ() -> None:
    assert len(set(free_ports(50))) == 50


def test_a_range_without_a_free_port_is_told() -> None:
    with pytest.raises(UsageError, match="no port from 65536 on is free"), reserved(65_536):
        pass
