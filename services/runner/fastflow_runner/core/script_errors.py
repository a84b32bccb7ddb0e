"""The last error that a script printed: what kind, with which words, where in its own files; pure, and only for people.

```text
Traceback (most recent call last):                      |  KeyError      Traceback (most recent call last)
  File "/app/main.py", line 41, in <module>             |  Cell In[3], line 2
    total = prices["sku"]                               |  ----> 2 prices["sku"]
KeyError: 'sku'                                         |  KeyError: 'sku'
```
Of chained errors the last one printed is the one that ended the script. Output is hostile and cut anywhere: what does
not look like this is no error, and nothing is ever decided by one.

Source: the formats of CPython 3.8 to 3.14 (`traceback`) and of IPython 8 and 9 (`VerboseTB`), as they print them.
"""

import re
from collections.abc import Iterator

from fastflow_events.aggregates.run.script_error import ScriptError
from fastflow_events.output import OutFrame, StreamName

from fastflow_runner.entry.notebook.words import plain

MAX_TYPE_CHARS = 200
MAX_MESSAGE_CHARS = 500
MAX_FILE_CHARS = 300
MAX_LINES = 2000
"""Of one traceback; what is longer is none."""
_MAX_OPEN_BYTES = 8192
"""Of a line; nothing that says where an error is has longer ones, and what is cut off is only words."""
_SIGN = b"Traceback (most recent call last)"
_SYNTAX = b'  File "'
_PYTHON = re.compile(r"(?P<group>  \+ Exception Group )?Traceback \(most recent call last\):?\Z")
_IPYTHON = re.compile(r"(?P<type>[A-Za-z_][\w.]*) +Traceback \(most recent call last\)\Z")
_FRAME = re.compile(r'\s*File "(?P<file>[^"]+)", line (?P<line>[0-9]{1,9})(?:, in .*)?\Z')
_CELL = re.compile(r"(?:Cell |Input )?In ?\[(?P<cell>[0-9]{1,9})\](?:, line (?P<line>[0-9]{1,9})(?:, in .*)?|[^,]*)\Z")
_FILE = re.compile(r"File (?P<file>[^:]+):(?P<line>[0-9]{1,9})(?:, in .*)?\Z")
_LAST = re.compile(r"(?P<type>[A-Za-z_][\w.]*)(?:: ?(?P<message>.*))?\Z")
_OF_OTHERS = re.compile(r"/site-packages/|/dist-packages/|/lib/python[0-9.]*/|/lib-dynload/|\A<|ipykernel_[0-9]+")


class ErrorFinder:
    """Reads the output of one attempt as it is counted, both streams apart; its memory is bounded."""

    def __init__(self) -> None:
        self.last: ScriptError | None = None
        self._streams: dict[StreamName, _Stream] = {}

    def feed(self, frame: OutFrame, complete: int) -> None:
        """Take the next piece of output, before which so many lines were complete."""
        stream = self._streams.get(frame.stream)
        if stream is None:
            stream = self._streams[frame.stream] = _Stream()
        for found in stream.feed(frame.data, complete):
            self.last = found

    def gap(self, name: StreamName | None) -> None:
        """Output is missing here."""
        for stream in [name] if name else list(self._streams):
            self._streams.pop(stream, None)


class _Stream:
    """What one stream has said of an error so far."""

    def __init__(self) -> None:
        self._open = b""
        self._reading: _Traceback | None = None

    def feed(self, data: bytes, complete: int) -> Iterator[ScriptError]:
        """The errors that are over with this piece."""
        text = self._open + data
        if self._reading is None and _SIGN not in text and _SYNTAX not in text:
            # The usual case: only what may be the beginning of a sign is kept.
            self._open = text[text.rfind(b"\n") + 1 :][:_MAX_OPEN_BYTES]
            return
        *lines, rest = text.split(b"\n")
        self._open = rest[:_MAX_OPEN_BYTES]
        for n, line in enumerate(lines, complete + 1):
            if (found := self._line(_words(line), n)) is not None:
                yield found

    def _line(self, line: str, n: int) -> ScriptError | None:
        if (begun := _begin(line)) is not None:
            self._reading = begun
            return None
        if self._reading is None:
            return None
        found = self._reading.take(line, n)
        if found is not None or self._reading.is_over:
            self._reading = None
        return found


class _Traceback:
    """One that is being read."""

    def __init__(self, *, group: bool = False, ipython: str = "", bare: bool = False) -> None:
        """`group`: of an exception group; `ipython`: the type that IPython begins with; `bare`: without a header."""
        self._group, self._ipython, self._bare = group, ipython, bare
        self._place: tuple[str, int | None, int | None] = ("", None, None)
        self._is_own = False
        self._lines = 0
        self.is_over = False

    def take(self, line: str, n: int) -> ScriptError | None:
        """The error, when this is its last line."""
        self._lines += 1
        if self._group:
            line = re.sub(r"\A  [|+] ?", "", line)
        if self.frame(line):
            return None
        if not line.strip() or line[0] in " \t-":
            # A blank line ends what Python prints; IPython has them between its parts.
            self.is_over = self._lines > MAX_LINES or (not line.strip() and not self._ipython)
            return None
        last = _LAST.match(line)
        if self._ipython:
            self.is_over = self._lines > MAX_LINES
            last = last if last and last["type"].rpartition(".")[2] == self._ipython.rpartition(".")[2] else None
        else:
            self.is_over = True
        if last is None or (self._bare and last["type"] not in ("SyntaxError", "IndentationError", "TabError")):
            return None
        file, at, cell = self._place
        return ScriptError(
            type=last["type"][:MAX_TYPE_CHARS],
            message=(last["message"] or "")[:MAX_MESSAGE_CHARS],
            file=file[:MAX_FILE_CHARS],
            line=at,
            cell=cell,
            log_line=n,
        )

    def frame(self, line: str) -> bool:
        """Whether the line names a place; the deepest in the pipeline's own files counts, or else the deepest."""
        if (at := _FRAME.match(line) or (_FILE.match(line) if self._ipython else None)) is not None:
            own = _OF_OTHERS.search(at["file"]) is None
            if own or not self._is_own:
                self._place, self._is_own = (_shown(at["file"]), int(at["line"]), None), own
            return True
        if self._ipython and (at := _CELL.match(line)) is not None:
            self._place, self._is_own = ("", int(at["line"]) if at["line"] else None, int(at["cell"])), True
            return True
        return False


def _begin(line: str) -> _Traceback | None:
    if "Traceback (" in line:
        if (python := _PYTHON.match(line)) is not None:
            return _Traceback(group=python["group"] is not None)
        if (ipython := _IPYTHON.match(line)) is not None:
            return _Traceback(ipython=ipython["type"])
        return None
    if line.startswith('  File "') and ", in " not in line:
        # A mistake that Python finds before it executes anything has no header.
        bare = _Traceback(bare=True)
        return bare if bare.frame(line) else None
    return None


def _shown(file: str) -> str:
    """A file of the pipeline's as its author knows it: below its folder, which is called `app` wherever a run is."""
    return file.rpartition("/app/")[2] if "/app/" in file and _OF_OTHERS.search(file) is None else file


def _words(line: bytes) -> str:
    return plain(line[:_MAX_OPEN_BYTES].decode("utf-8", "replace")).rstrip("\r")
