"""A look into a network namespace, through its pause container."""

import asyncio
from secrets import token_hex

from fastflow_runner.adapters.docker.container import Container

_WITHIN_S = 10.0
_MOST_BYTES = 1 << 20
_STDOUT = 1


async def shown(pause: Container) -> str:
    """What the pause container shows of its namespace now; empty when it does not, not in time, or far too much.

    Raises:
        InfrastructureError: the engine does not answer.
    """
    stream = await pause.attach()
    if stream is None:
        return ""
    word = token_hex(8).encode() + b"\n"
    seen = bytearray()
    try:
        async with asyncio.timeout(_WITHIN_S):
            await stream.write(word)
            async for entries in stream.frames():
                for number, content in entries:
                    seen += content if number == _STDOUT else b""
                # Whatever it ends with is the answer to this question, and not to one before it.
                if seen.endswith(word) or len(seen) > _MOST_BYTES:
                    return seen[: -len(word)].decode("utf-8", "replace") if seen.endswith(word) else ""
    except TimeoutError:
        pass
    finally:
        stream.close()
    return ""
