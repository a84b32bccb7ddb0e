"""What is known of an attempt's output from all that passed by: lines, bytes, and the last error; pure."""

from fastflow_events.output import LineCounter, OutFrame, StreamName

from fastflow_runner.core.script_errors import ErrorFinder


class Tally:
    """Counts lines and bytes, and knows the last error among them; a last line without its newline is a line."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self.engine_bytes = 0
        """What the engine gave, before anything was masked."""
        self.counter = LineCounter()
        self.errors = ErrorFinder()

    def add(self, index: int, frame: OutFrame) -> None:
        """Count a frame."""
        self.size_bytes += len(frame.data)
        self.errors.feed(frame, self.counter.complete)
        self.counter.add(index, frame)

    def gap(self, stream: StreamName) -> None:
        """Output is missing here."""
        self.errors.gap(stream)
        self.counter.gap(stream)

    @property
    def lines(self) -> int:
        """Lines so far, on both streams together."""
        return self.counter.lines
