"""How long an event stream has said nothing."""

import asyncio


class Silence:
    """Measures on the event loop's clock, which never jumps."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self.broken()

    def broken(self) -> None:
        """Something was said."""
        self._since = asyncio.get_running_loop().time()

    def too_long(self) -> bool:
        """True when proxies and clients may begin to think that nobody is there."""
        return asyncio.get_running_loop().time() - self._since >= self._limit_s
