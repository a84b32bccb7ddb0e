import pytest
from fastflow_runner.entry.output import STDERR, STDOUT, Output, SpoolSink


class Memory(SpoolSink):
    """Keeps what is written, and fails when told to."""

    def __init__(self) -> None:
        self.written: list[tuple[int, bytes]] = []
        self.full = False

    def write(self, stream: int, data: bytes) -> None:
        if self.full:
            raise OSError("no space")
        self.written.append((stream, data))

    def finish(self) -> None:
        pass

    def of(self, stream: int) -> bytes:
        return b"".join(data for found, data in self.written if found == stream)


def test_below_the_cap_everything_passes_at_once() -> None:
    sink = Memory()
    output = Output(sink, 1000)
    output.feed(STDOUT, b"one\n")
    output.feed(STDERR, b"two")
    assert sink.written == [(STDOUT, b"one\n"), (STDERR, b"two")]
    output.finish()
    assert (output.bytes, output.lines, output.dropped) == (7, 1, 0)


@pytest.mark.parametrize("piece", [1, 7, 100, 5000])
def test_above_the_cap_head_and_tail_stay_and_the_rest_is_counted(piece: int) -> None:
    sink = Memory()
    output = Output(sink, 1000)
    data = bytes(n % 251 for n in range(5000))
    for at in range(0, len(data), piece):
        output.feed(STDOUT, data[at : at + piece])
    output.finish()
    kept = sink.of(STDOUT)
    notice = b"\n[fastflow: %d bytes of output dropped here]\n" % output.dropped
    assert kept == data[:500] + notice + data[-250:]
    assert output.dropped == 5000 - 750
    assert output.bytes == 5000


def test_each_stream_has_a_tail_of_its_own() -> None:
    sink = Memory()
    output = Output(sink, 400)
    output.feed(STDOUT, b"o" * 1000)
    output.feed(STDERR, b"the reason")
    output.finish()
    assert sink.of(STDERR) == b"the reason"


def test_a_full_disk_is_counted_and_ends_nothing() -> None:
    sink = Memory()
    output = Output(sink, 1000)
    output.feed(STDOUT, b"kept")
    sink.full = True
    output.feed(STDOUT, b"lost")
    output.finish()
    assert (output.dropped, output.bytes) == (4, 8)
