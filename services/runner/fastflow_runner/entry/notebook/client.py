"""nbclient, which tells what it hears while it hears it, and bounds what it keeps."""

from collections.abc import Callable
from queue import Empty
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from fastflow_runner.entry.notebook.beside import FLUSH, PREPARE

TEXT_CHARS = 10_000_000
"""Of what all cells together print, so much is kept in the executed notebook; the run's output has all of it."""
DATA_CHARS = 64_000_000
"""The same for results, pictures and errors."""
_START_S = 180
_LAST_WORDS_S = 600
_BESIDE_S, _BESIDE_TRIES = 0.5, 10


class Client(NotebookClient):
    """Executes cells of one notebook in one kernel."""

    def __init__(self, notebook: Any, manager: Any, *, hear: Callable[[dict[str, Any]], None]) -> None:
        """Use the kernel of `manager`, and pass on to `hear` what it says of cells."""
        super().__init__(notebook, km=manager, startup_timeout=_START_S, iopub_timeout=_LAST_WORDS_S)
        self._hear = hear
        self._before: list[Any] = []
        self._left = {"text": TEXT_CHARS, "data": DATA_CHARS}
        self._of_cell = {"text": 0, "data": 0}
        self._full: set[int] = set()

    async def try_cell(self, cell: Any, place: int, *, before: list[Any]) -> None:
        """Execute a code cell; its outputs come behind those of the tries before.

        Raises:
            CellExecutionError: it failed.
            DeadKernelError: the kernel is gone.
        """
        self._before = before
        self._of_cell = {"text": 0, "data": 0}
        try:
            await self.async_execute_cell(cell, place)
        except CellExecutionError:
            await self._wait_for_the_rest(cell, place)
            raise
        else:
            await self._wait_for_the_rest(cell, place)
        finally:
            self._put_before(cell)

    async def prepare(self) -> None:
        """Make the kernel ready for the first cell."""
        await self._beside(PREPARE)

    async def _wait_for_the_rest(self, cell: Any, place: int) -> None:
        """What comes late is still this cell's, and nobody would listen any more."""
        if "outputs" in cell:
            await self._beside(FLUSH, lambda message: self.process_message(message, cell, place))

    async def _beside(self, code: str, late: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
        """Have code executed that belongs to no cell; messages that come meanwhile go to `late`."""
        if self.kc is None:
            return
        request = self.kc.execute(code, silent=True, store_history=False, allow_stdin=False, stop_on_error=False)
        tries = _BESIDE_TRIES
        while tries:
            try:
                message = await self.kc.get_iopub_msg(timeout=_BESIDE_S)
            except Empty:
                tries = tries - 1 if await self.kc.is_alive() else 0
                continue
            is_ours = message["parent_header"].get("msg_id") == request
            if message["msg_type"] != "status":
                late(message)
            elif is_ours and message["content"]["execution_state"] == "idle":
                return

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Tell it first, so that it is told even when nothing more comes."""
        self._put_before(cell)
        self._hear(msg)
        return super().process_message(msg, cell, cell_index)

    def output(self, outs: list[Any], msg: dict[str, Any], display_id: Any, cell_index: int) -> Any:
        """Keep an output while there is room; consecutive text of one stream is one output."""
        stream = msg["content"] if msg["msg_type"] == "stream" else None
        kind, size = ("text", len(stream["text"])) if stream else ("data", _size(msg["content"]))
        if not outs or self.clear_before_next_output:
            # What a cell took back takes no room.
            self._left = {name: left + self._of_cell[name] for name, left in self._left.items()}
            self._of_cell = {"text": 0, "data": 0}
        if size > self._left[kind]:
            return self._leave_out(outs, cell_index)
        self._left[kind] -= size
        self._of_cell[kind] += size
        last = outs[-1] if outs else {}
        is_more = stream and last.get("output_type") == "stream" and last.get("name") == stream["name"]
        if stream and is_more and not self.clear_before_next_output:
            last["text"] += stream["text"]
            return last
        return super().output(outs, msg, display_id, cell_index)

    def _leave_out(self, outs: list[Any], cell_index: int) -> None:
        if cell_index not in self._full:
            self._full.add(cell_index)
            outs.append(_note("fast-flow: more is left out of this notebook; the run's output has the text of it\n"))

    def _put_before(self, cell: Any) -> None:
        cell.outputs[:0], self._before = self._before, []


def _note(text: str) -> Any:
    # Imported with nbclient, which needs it.
    from nbformat.v4 import new_output  # noqa: PLC0415

    return new_output("stream", name="stderr", text=text)


def failed_try(outputs: list[Any], words: str) -> list[Any]:
    """The outputs of a try that failed, and a line that says so, to be put before those of the next one."""
    return [*outputs, _note(f"fast-flow: {words}\n")]


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(_size(member) for member in members)
