"""What the entry program keeps, how rates come out of readings, and how archives and short answers end."""

from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from tarfile import TarFile, TarInfo

import pytest
from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.aggregates.run.specification import Limits
from fastflow_events.errors import InfrastructureError
from fastflow_events.message import Verbatim
from fastflow_events.output import Sample
from fastflow_events.testing.builders import NOON
from fastflow_runner.adapters.docker.stats import Stats
from fastflow_runner.adapters.docker.tar_stream import files_of
from fastflow_runner.adapters.docker.wire import Sized
from fastflow_runner.core.gauge import Gauge
from fastflow_runner.core.outcome import of_exit
from fastflow_runner.core.usage import Usage
from fastflow_runner.entry.leaving import PATH_BYTES, Kept
from fastflow_runner.phases.collect import distinct
from fastflow_runner.ports import Exit, Started
from msgspec import json

STARTED = Started(at=NOON, manifest=Manifest(executor="docker", container="c"), network=(1000, 2000))


def usage(at_s: float, cpu_s: float, memory: int = 1, **more: int) -> Usage:
    return Usage(at=NOON + timedelta(seconds=at_s), cpu_s=cpu_s, memory_bytes=memory, **more)


def test_rates_follow_from_the_engines_own_clock_and_traffic_counts_from_the_start() -> None:
    gauge = Gauge(Limits(), STARTED)
    first = gauge.read(usage(1, 0.5, 10, received_bytes=1500, sent_bytes=2000))
    second = gauge.read(usage(3, 3.5, 5, received_bytes=1600, sent_bytes=2001))
    assert first is not None
    assert second is not None
    assert (first.cpus, first.received_bytes, first.sent_bytes) == (0.5, 500, 0)
    assert (second.cpus, second.received_bytes, second.sent_bytes) == (1.5, 600, 1)
    assert (gauge.peaks.cpus, gauge.peaks.memory_bytes, gauge.peaks.last) == (1.5, 10, second)


def test_two_readings_at_almost_the_same_moment_are_no_peak() -> None:
    gauge = Gauge(Limits(), STARTED)
    assert gauge.read(usage(1, 0.5)) is not None
    assert gauge.read(usage(1.001, 0.9)) is None
    late = gauge.read(usage(2, 1.5))
    assert late is not None
    assert late.cpus == 1.0


def test_a_clock_that_jumps_back_costs_one_sample() -> None:
    gauge = Gauge(Limits(), STARTED)
    assert gauge.read(usage(100, 50)) is not None
    assert gauge.read(usage(10, 51)) is None
    after = gauge.read(usage(11, 52))
    assert after is not None
    assert after.cpus == 1.0


def test_after_a_restart_peaks_go_on_and_the_first_reading_alone_is_no_rate() -> None:
    gauge = Gauge(Limits(), STARTED)
    gauge.recall(Sample(at=NOON, cpus=1.9, memory_bytes=77))
    assert gauge.read(usage(100, 50)) is None
    assert gauge.read(usage(101, 50.1)) is not None
    assert (gauge.peaks.cpus, gauge.peaks.memory_bytes) == (1.9, 77)


def test_each_soft_limit_is_passed_once() -> None:
    gauge = Gauge(Limits(soft_cpus=1.0, soft_memory_bytes=100), STARTED)
    samples = [gauge.read(usage(n, 2.0 * n, 90 + 10 * n)) for n in (1, 2, 3)]
    found = [[excess.kind for excess in gauge.excesses(sample)] for sample in samples if sample]
    assert found == [["cpus"], ["memory_bytes"], []]


@pytest.mark.parametrize("name", ["inactive_file", "total_inactive_file"])
def test_memory_is_the_working_set_under_both_kinds_of_control_groups(name: str) -> None:
    line = {
        "read": "2026-03-01T12:00:00.123456789Z",
        "cpu_stats": {"cpu_usage": {"total_usage": 1_500_000_000}},
        "memory_stats": {"usage": 500, "stats": {name: 400}},
        "networks": {"eth0": {"rx_bytes": 1, "tx_bytes": 2}, "eth1": {"rx_bytes": 3, "tx_bytes": 4}},
        "blkio_stats": {"io_service_bytes_recursive": [{"op": "Read", "value": 5}, {"op": "write", "value": 6}]},
    }
    found = json.decode(json.encode(line), type=Stats).usage
    assert found is not None
    assert (found.cpu_s, found.memory_bytes, found.received_bytes, found.sent_bytes) == (1.5, 100, 4, 6)
    assert (found.read_bytes, found.written_bytes) == (5, 6)


def test_statistics_of_an_ended_container_are_none() -> None:
    assert json.decode(b'{"read": "0001-01-01T00:00:00Z", "memory_stats": {}}', type=Stats).usage is None


def an_archive(*contents: bytes) -> bytes:
    file = BytesIO()
    with TarFile(fileobj=file, mode="w") as tar:
        for number, content in enumerate(contents):
            info = TarInfo(f"kept/{number}")
            info.size = len(content)
            tar.addfile(info, BytesIO(content))
    return file.getvalue()


async def unpacked(data: bytes, piece: int) -> dict[str, bytes]:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(data), piece):
            yield data[at : at + piece]

    found: dict[str, bytes] = {}
    async for name, content in files_of(pieces()):
        found[name] = found.get(name, b"") + content
    return found


@pytest.mark.parametrize("piece", [1, 511, 512, 4096, 1 << 20])
async def test_an_archive_comes_out_whole_however_it_arrives(piece: int) -> None:
    contents = (b"x" * 1000, b"", b"y" * 512)
    assert await unpacked(an_archive(*contents), piece) == {f"kept/{n}": data for n, data in enumerate(contents)}
    assert await unpacked(b"", piece) == {}


@pytest.mark.parametrize("at", [100, 512, 700, 1024, 1536])
async def test_an_archive_that_was_cut_off_is_no_archive(at: int) -> None:
    with pytest.raises(InfrastructureError, match="ended in the middle"):
        await unpacked(an_archive(b"x" * 512, b"y" * 512)[:at], 4096)


def test_a_body_whose_length_was_told_ends_with_its_last_byte() -> None:
    body = Sized(5)
    assert (body.feed(b"ab"), body.ended) == (b"ab", False)
    assert (body.feed(b"cdeHTTP"), body.ended) == (b"cde", True)
    assert Sized(0).ended


def kept(tmp_path: Path, *names: str, count: int = 10) -> Kept:
    folder = tmp_path / "artifacts"
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    found = Kept(str(tmp_path / "kept"), count=count, file_bytes=1 << 20, total_bytes=1 << 20)
    found.take(str(folder), (), below=str(tmp_path), leave_out="artifacts")
    return found


def test_a_path_that_no_bus_takes_is_not_kept(tmp_path: Path) -> None:
    deep = "/".join(["d" * 200] * 6)
    found = kept(tmp_path, deep, "short")
    assert [path for path, _ in found.files] == ["short"]
    assert found.left == [(deep[:PATH_BYTES], f"its path is longer than {PATH_BYTES} bytes")]


def test_what_is_too_much_to_be_named_is_counted(tmp_path: Path) -> None:
    found = kept(tmp_path, *(f"{n:02}" for n in range(20)), count=4)
    assert [path for path, _ in found.files] == ["00", "01", "02", "03"]
    assert [path for path, _ in found.left] == ["04", "05", "06", "07", "..."]
    assert found.left[-1] == ("...", "and 12 more")


def test_two_names_that_hiding_a_secret_made_alike_stay_two() -> None:
    assert list(distinct(Exit(exit_code=0, kept=(("***.txt", 1), ("a", 1), ("***.txt", 1))))) == [
        "***.txt", "a", "***.txt.2",
    ]  # fmt: skip


def test_artifacts_that_are_lost_are_named_and_the_outcome_stays() -> None:
    ending = of_exit(
        Exit(exit_code=0, marker_code=0), lost_artifacts=("a", "b", "c"), why_lost=Verbatim("the store is full")
    )
    assert ending.outcome == "succeeded"
    assert ending.detail == "artifacts could not be stored (a and 2 more): the store is full"
