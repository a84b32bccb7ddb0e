"""uvicorn around the application."""

import asyncio
import logging
from types import FrameType
from typing import Any

import uvicorn
from fastflow_events.service.waiting import is_set_within
from uvicorn.server import Server

from fastflow_gateway.app import build
from fastflow_gateway.core.hosts import UNSPECIFIED, proxies_of
from fastflow_gateway.http.counted import counted, kinds_of
from fastflow_gateway.http.edge import edged
from fastflow_gateway.http.limits import LARGEST_HEAD
from fastflow_gateway.http.streams import Streams
from fastflow_gateway.http.timeouts import protocol_of
from fastflow_gateway.settings import GatewaySettings

logger = logging.getLogger(__name__)

TICK_S = 2.0
"""How often the date that answers carry is set, and the inside looked at; uvicorn itself does so every 0.1 s."""


class TellingServer(Server):
    """uvicorn, telling where it listens; port 0 is only known once it does."""

    def __init__(self, config: uvicorn.Config, settings: GatewaySettings, streams: Streams) -> None:
        super().__init__(config)
        self._settings = settings
        self._streams = streams
        self._told = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: Any = None) -> None:
        """Listen, then tell."""
        await super().startup(sockets)
        if self.should_exit or not self.servers:
            return
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        if host in UNSPECIFIED:  # every address is none that anybody could ask for
            host = "::1" if ":" in host else "127.0.0.1"
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        logger.info("listening on %s", url, extra={"action": "listening", "url": url})
        if (file := self._settings.address_file) is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            whole = file.with_name(f"{file.name}.new")
            whole.write_text(url + "\n")
            whole.replace(file)

    async def main_loop(self) -> None:
        """Sleep until a signal comes, with a tick now and then."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            await is_set_within(self._told, TICK_S)

    async def shutdown(self, sockets: Any = None) -> None:
        """Streams first, which never end by themselves."""
        self._streams.drain()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal, and wake the loop, which sleeps in a system call."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)

    def leave(self) -> None:
        """Stop soon, as after a signal."""
        self.should_exit = True
        self._told.set()

    @property
    def failed(self) -> bool:
        """True when something the application needs did not open, or broke for good."""
        return not self.started or bool(getattr(self.lifespan, "error_occurred", False))

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop; a gateway whose inside broke does not live on half dead."""
        return await super().on_tick(counter) or self.failed


def server_of(settings: GatewaySettings) -> TellingServer:
    """Return the unstarted server of the unstarted application.

    Raises:
        SettingsError: it would serve strangers, or under a name that is none.
    """
    trusted = proxies_of(settings.trusted_proxies)
    app = build(settings)
    config = uvicorn.Config(
        counted(edged(app, settings), kinds_of(route.path for route in app.routes)),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=settings.graceful_timeout_s,
        server_header=False,
        ws="none",
        h11_max_incomplete_event_size=LARGEST_HEAD,
        http=protocol_of(settings),
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted,
        lifespan="on",
    )
    return TellingServer(config, settings, app.state.streams)
