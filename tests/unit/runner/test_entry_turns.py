"""Two pipes, read in turns."""

import os
import sys
from collections.abc import Iterator
from itertools import groupby

import pytest
from fastflow_runner.entry.child import Child
from fastflow_runner.entry.turns import HELD_S, Reader, Turns, rounds
from hypothesis import given
from hypothesis import strategies as st

OUT, ERR, FULL = 1, 2, 16
READS = st.lists(
    st.tuples(
        st.dictionaries(
            st.sampled_from([OUT, ERR]),
            st.one_of(
                st.lists(st.sampled_from([b"\n", b"a", b"bc", b"\r", b"\xff"]), min_size=1).map(b"".join),
                st.just(b"x" * FULL),
            ),
            min_size=1,
        ),
        st.sampled_from([0.0, HELD_S / 3, HELD_S * 2]),
    ),
    max_size=20,
)


@given(READS)
def test_every_byte_of_each_stream_passes_once_and_in_order(reads: list[tuple[dict[int, bytes], float]]) -> None:
    order, now, found = Turns(FULL), 0.0, []
    for read, pause in reads:
        found += order.take([*read.items()], now)
        now += pause
        found += order.overdue(now)
    found += order.rest()
    for stream in (OUT, ERR):
        assert b"".join(d for s, d in found if s == stream) == b"".join(read.get(stream, b"") for read, _ in reads)
    assert all(data for _, data in found)


@given(READS)
def test_nothing_waits_longer_than_it_may(reads: list[tuple[dict[int, bytes], float]]) -> None:
    order, now = Turns(FULL), 0.0
    for read, pause in reads:
        order.take([*read.items()], now)
        now += pause
        order.overdue(now)
        assert (order.wait_s(now) or HELD_S) < HELD_S * 1.01
    order.overdue(now + 2 * HELD_S)
    assert order.rest() == []


@given(st.integers(1, 200), st.integers(1, 200))
def test_lines_that_came_together_alternate(outs: int, errs: int) -> None:
    read = [(ERR, b"".join(b"e%d\n" % n for n in range(errs))), (OUT, b"".join(b"o%d\n" % n for n in range(outs)))]
    found = [stream for stream, _ in Turns().take(read, 0.0)]
    assert found[0] == ERR
    assert all(len([*run]) == 1 for _, run in groupby(found[: 2 * min(found.count(OUT), found.count(ERR))]))
    assert len(found) <= 2 * 64


def test_a_line_written_in_pieces_keeps_its_place_before_what_came_meanwhile() -> None:
    order = Turns()
    assert order.take([(OUT, b"ou")], 0.0) == []
    assert order.take([(ERR, b"err\n")], 0.001) == []
    assert order.take([(OUT, b"t\nnext\n")], 0.002) == [(OUT, b"out\n"), (ERR, b"err\n"), (OUT, b"next\n")]


def test_a_line_that_does_not_end_lets_others_pass_after_a_moment() -> None:
    order = Turns()
    order.take([(ERR, b"\r50%")], 0.0)
    order.take([(OUT, b"out\n")], 0.001)
    assert order.wait_s(0.001) == pytest.approx(HELD_S - 0.001)
    assert order.overdue(0.001) == []
    assert order.overdue(HELD_S) == [(ERR, b"\r50%"), (OUT, b"out\n")]
    assert order.wait_s(HELD_S) is None


class Pipes:
    """Two pipes and their reader."""

    def __init__(self) -> None:
        self._wakeup, self._wake = os.pipe()
        (out, self.out), (err, self.err) = os.pipe(), os.pipe()
        self.reader = Reader({out: OUT, err: ERR}, self._wakeup)
        self._open = {self._wakeup, self._wake, self.out, self.err}

    def end(self, fd: int) -> None:
        self._open.remove(fd)
        os.close(fd)

    def look(self, times: int = 3) -> list[tuple[int, bytes]]:
        return [piece for _ in range(times) for piece in self.reader.look(0.0).pieces]

    def close(self) -> None:
        self.reader.close()
        for fd in (*self._open, *self.reader.streams):
            os.close(fd)


@pytest.fixture
def pipes() -> Iterator[Pipes]:
    pipes = Pipes()
    yield pipes
    pipes.close()


@pytest.mark.parametrize("first", [OUT, ERR])
def test_of_two_that_are_ready_the_one_comes_first_that_was_first(pipes: Pipes, first: int) -> None:
    for n in range(20):
        order = [OUT, ERR] if first == OUT else [ERR, OUT]
        for stream in order:
            os.write(pipes.out if stream == OUT else pipes.err, b"%d\n" % n)
        assert pipes.look() == [(stream, b"%d\n" % n) for stream in order]


@pytest.mark.parametrize("order", [(OUT, ERR), (ERR, OUT)])
def test_what_a_script_has_written_before_anybody_looks_is_in_order(order: tuple[int, int]) -> None:
    """Its pipes are looked at before it is started; else each would only say that it holds something by now."""
    wakeup, wake = os.pipe()
    child = Child()
    reader = Reader(child.streams, wakeup)
    child.start([sys.executable, "-c", f"import os\nfor fd in {order}: os.write(fd, b'%d\\n' % fd)"], {})
    os.waitpid(child.pid, 0)
    assert reader.look(0.0).pieces == [(stream, b"%d\n" % stream) for stream in order]
    reader.close()
    for fd in (wakeup, wake, *child.streams):
        os.close(fd)


def test_a_pipe_that_holds_more_than_is_read_at_once_is_read_to_its_end(pipes: Pipes) -> None:
    fcntl = pytest.importorskip("fcntl")
    fcntl.fcntl(pipes.out, fcntl.F_SETPIPE_SZ, 1 << 20)
    os.write(pipes.out, b"x" * 500_000)
    pipes.end(pipes.out)
    assert b"".join(data for _, data in pipes.look(20)) == b"x" * 500_000
    assert [*pipes.reader.streams.values()] == [ERR]


def test_the_beginning_of_a_line_is_passed_on_when_nothing_can_follow(pipes: Pipes) -> None:
    os.write(pipes.err, b"no end")
    pipes.end(pipes.err)
    pipes.end(pipes.out)
    assert b"".join(data for _, data in pipes.look()) == b"no end"
    assert not pipes.reader.streams


def test_writes_that_keep_their_borders_are_read_to_the_last(pipes: Pipes) -> None:
    fcntl = pytest.importorskip("fcntl")
    fcntl.fcntl(pipes.out, fcntl.F_SETFL, os.O_DIRECT)
    for n in range(10):
        os.write(pipes.out, b"%d\n" % n)
    pipes.end(pipes.out)
    assert b"".join(data for _, data in pipes.look(20)) == b"".join(b"%d\n" % n for n in range(10))


@given(st.lists(st.tuples(st.sampled_from([OUT, ERR]), st.sampled_from([b"a\n", b"b\nc\n", b"d"])), max_size=6))
def test_a_stream_that_one_look_reads_twice_keeps_its_order(read: list[tuple[int, bytes]]) -> None:
    order = Turns()
    found = [piece for several in rounds(read) for piece in order.take(several, 0.0)] + order.rest()
    for stream in (OUT, ERR):
        assert b"".join(data for of, data in found if of == stream) == b"".join(
            data for of, data in read if of == stream
        )


def test_who_speaks_again_before_the_other_has_said_so_before_it() -> None:
    order = Turns()
    read = [(OUT, b"1\n"), (OUT, b"2\n"), (ERR, b"3\n")]
    assert [piece for several in rounds(read) for piece in order.take(several, 0.0)] == read
