"""The two forms in which the entry program carries output; every byte of the script survives both.

Lines, for engines that store text lines of at most 16 KiB: a line that is UTF-8 goes as it is. Everything else is a
record of one line, which starts with 0x1E and a letter. All of it goes over one stream, standard output: engines read
two of them side by side, and what was written in turns would be stored out of turn.

| letter | payload |
|---|---|
| `-` | text without its end of line: a piece of a long line, or output whose line has not ended yet |
| `b` | base64 of any bytes |
| `e` | a line as above, of standard error |
| `g` | decimal: so many bytes of this stream are missing here |
| `s` | JSON: user code is about to start |
| `x` | JSON: how user code ended, as in the marker `exit.json` |
| `r` | JSON: user code was not started, and why |

Spool, for a file: `stream (1) | nanoseconds since 1970 (8) | length (4) | bytes`, big endian. Stream 1 is standard
output, 2 is error; with `GAP` added the bytes say how many of the stream are missing, in decimal.
"""

from binascii import Error as BinasciiError
from binascii import a2b_base64, b2a_base64
from struct import Struct

MARK = b"\x1e"
_STDERR = MARK + b"e"
LINE_BYTES = 16_000
"""Longest line written; engines cut at 16 384."""
_RAW_BYTES = LINE_BYTES // 4 * 3
SPOOL_HEAD = Struct(">BQI")
GAP = 16
SPOOL_BYTES = 1 << 20
"""More than any record of a spool holds."""
_GAP_DIGITS = 18
_RECORDS = (b"-", b"s", b"x", b"r")


class NoRecordError(ValueError):
    """What follows was not written by the entry program; `args` are the records before it, and their bytes."""


def encode_lines(data: bytes) -> tuple[bytes, bytes]:
    """Lines that carry `data`, and up to 3 bytes of an unfinished character to be put before what comes next."""
    rest = b""
    if MARK not in data:
        try:
            data.decode()
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":
                return _encode_mixed(data), rest
            data, rest = data[: error.start], data[error.start :]
        return _encode_text(data), rest
    return _encode_mixed(data), rest


def encode_rest(rest: bytes) -> bytes:
    """Lines that carry what was left over when the output ended."""
    return _encode_mixed(rest) if rest else b""


def of_stderr(lines: bytes) -> bytes:
    """The same lines, marked as standard error's; those that bear no mark are of the stream they came over."""
    return _STDERR + lines[:-1].replace(b"\n", b"\n" + _STDERR) + b"\n" if lines else b""


def stream_of(stream: int, line: bytes) -> tuple[int, bytes]:
    """The stream of a stored line that came over `stream`, and the line without the mark of standard error."""
    return (2, line.removeprefix(_STDERR)) if line.startswith(_STDERR) else (stream, line)


def control(letter: bytes, payload: bytes) -> bytes:
    """A record that is not output; `payload` holds no end of line."""
    return MARK + letter + payload + b"\n"


def _encode_text(data: bytes) -> bytes:
    out = []
    at, size = 0, len(data)
    while at < size:
        end = min(at + LINE_BYTES, size)
        cut = data.rfind(b"\n", at, end) + 1
        if cut:
            out.append(data[at:cut])
        else:
            cut = end
            while cut < size and data[cut] & 0xC0 == 0x80:
                cut -= 1
            out.append(control(b"-", data[at:cut]))
        at = cut
    return b"".join(out)


def _encode_mixed(data: bytes) -> bytes:
    out = []
    for line in _lines(data):
        try:
            line.decode()
            text = MARK not in line
        except UnicodeDecodeError:
            text = False
        if text:
            out.append(_encode_text(line))
        else:
            pieces = (line[at : at + _RAW_BYTES] for at in range(0, len(line), _RAW_BYTES))
            out.extend(control(b"b", b2a_base64(piece, newline=False)) for piece in pieces)
    return b"".join(out)


def _lines(data: bytes) -> list[bytes]:
    # bytes.splitlines would cut at carriage returns too.
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def decode_line(line: bytes) -> tuple[str, bytes]:
    """Letter and payload of a stored line; letter `-` stands for output, whatever its form was.

    What is no record is output as it is, whoever wrote it.
    """
    if not line.startswith(MARK):
        return "-", line
    letter, payload = line[1:2], line[2:].removesuffix(b"\n")
    if letter == b"b":
        # A killed entry program may leave a torn line: decode the whole groups of it.
        try:
            return "-", a2b_base64(payload[: len(payload) // 4 * 4])
        except BinasciiError:
            return "-", line
    if letter == b"g":
        return ("g", payload) if is_gap(payload) else ("-", line)
    return (letter.decode(), payload) if letter in _RECORDS else ("-", line)


def is_gap(payload: bytes) -> bool:
    """True when it says how many bytes are missing."""
    return payload.isdigit() and len(payload) <= _GAP_DIGITS and int(payload) > 0


def decode_spool(data: bytes) -> tuple[list[tuple[int, int, bytes]], int]:
    """Complete records as (stream, nanoseconds, bytes), and how many bytes they take.

    Raises:
        NoRecordError: what comes behind those is none.
    """
    found: list[tuple[int, int, bytes]] = []
    at = 0
    while at + SPOOL_HEAD.size <= len(data):
        stream, nanoseconds, length = SPOOL_HEAD.unpack_from(data, at)
        if stream & ~GAP not in (1, 2) or length > SPOOL_BYTES or (stream & GAP and length > _GAP_DIGITS):
            raise NoRecordError(found, at)
        end = at + SPOOL_HEAD.size + length
        if end > len(data):
            break
        content = data[at + SPOOL_HEAD.size : end]
        if stream & GAP and not is_gap(content):
            raise NoRecordError(found, at)
        found.append((stream, nanoseconds, content))
        at = end
    return found, at
