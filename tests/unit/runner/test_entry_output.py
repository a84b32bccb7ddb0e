import pytest
from fastflow_runner.entry.output import STDERR, STDOUT, Output, SpoolSink


class Memory(SpoolSink):
    """Keeps what is written, and fails when told to."""

    def __init__(self) -> None:
        self.written: list[tuple[int, bytes]] = []
        self.gaps: list[tuple[int, int, int]] = []
        """Stream, bytes of it written before, bytes missing."""
        self.full = False

    def gap(self, stream: int, missing: int) -> None:
        self.gaps.append((stream, len(self.of(stream)), missing))

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
    data = bytes(n % 251 for n in range(5000)).replace(b"\n", b" ")
    for at in range(0, len(data), piece):
        output.feed(STDOUT, data[at : at + piece])
    output.finish()
    assert sink.of(STDOUT) == data[:500] + data[-250:]
    assert sink.gaps == [(STDOUT, 500, 5000 - 750)]
    assert (output.dropped, output.bytes, output.sent) == (5000 - 750, 5000, 750)


def test_a_tail_begins_with_a_line() -> None:
    sink = Memory()
    output = Output(sink, 1000)
    for n in range(1000):
        output.feed(STDOUT, b"line %d\n" % n)
    output.finish()
    [(_, before, missing)] = sink.gaps
    kept, whole = sink.of(STDOUT), b"".join(b"line %d\n" % n for n in range(1000))
    assert kept[before:].startswith(b"line ")
    assert kept == whole[:before] + whole[before + missing :]


def test_tails_of_both_streams_stay_in_the_order_in_which_they_came() -> None:
    sink = Memory()
    output = Output(sink, 400)
    output.feed(STDOUT, b"." * 200)
    for n in range(10):
        output.feed(STDOUT, b"o%d\n" % n)
        output.feed(STDERR, b"e%d\n" % n)
    output.finish()
    tails = [data for _, data in sink.written[1:]]
    assert tails == [part for n in range(10) for part in (b"o%d\n" % n, b"e%d\n" % n)]
    assert not sink.gaps


def test_each_stream_has_a_tail_of_its_own() -> None:
    sink = Memory()
    output = Output(sink, 400)
    output.feed(STDOUT, b"o" * 1000)
    output.feed(STDERR, b"the reason")
    output.finish()
    assert sink.of(STDERR) == b"the reason"
    assert [stream for stream, _, _ in sink.gaps] == [STDOUT]


def test_a_full_disk_is_counted_and_ends_nothing() -> None:
    sink = Memory()
    output = Output(sink, 1000)
    output.feed(STDOUT, b"kept")
    sink.full = True
    output.feed(STDOUT, b"lost")
    output.finish()
    assert (output.dropped, output.bytes, output.sent) == (4, 8, 4)
