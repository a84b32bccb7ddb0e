"""The container engine behind its socket proxy: exact requests by the Docker SDK's transport, streams without threads.

The SDK's session is left out: for each request it reads the environment and merges settings, which takes as long as the
engine's answer.
"""

import asyncio
import json
import logging
import re
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from docker import APIClient
from docker.errors import DockerException
from fastflow_events.errors import InfrastructureError
from msgspec import Struct
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Timeout
from urllib3.exceptions import HTTPError

from fastflow_runner.adapters.docker.wire import Chunked, Multiplexed, Plain, Sized
from fastflow_runner.core.container_spec import VERSIONS, Call, Deployment, calls
from fastflow_runner.core.template import fill

T = TypeVar("T")
logger = logging.getLogger(__name__)
_THREADS = 32
_CONNECT_S = 5.0
_ANSWER_S = 60.0
_READ_BYTES = 1 << 18
ANSWER_BYTES = 64 << 20
"""The longest answer that is held as a whole: a list of tens of thousands of containers."""
_HEADING = re.compile(r"<h1>([^<]{1,200})</h1>")


class Answer(Struct, frozen=True, kw_only=True):
    """The engine's answer to one call."""

    status: int
    body: bytes

    @property
    def message(self) -> str:
        """The engine's own words, or the proxy's, which answers in HTML."""
        with suppress(ValueError, AttributeError):
            return str(json.loads(self.body).get("message", ""))
        words = self.body.decode("utf-8", "replace").strip()
        if heading := _HEADING.search(words):
            return f"its socket proxy says {heading[1]}"
        return words[:500]

    @property
    def is_the_proxys(self) -> bool:
        """True when it says that the engine did not answer the proxy."""
        return self.status in {502, 503, 504} and _HEADING.search(self.body.decode("utf-8", "replace")) is not None


class Stream:
    """A connection that an answer keeps coming from, read by the event loop."""

    def __init__(self, response: BaseHTTPResponse, sock: Any, held: bytes) -> None:
        """Take the connection over; `held` was read already."""
        self._response = response
        self._sock = sock
        self._held = held
        self._coding = _coding_of(response.headers)

    async def write(self, data: bytes) -> None:
        """Send, to a stream that was upgraded; a reader that is gone is found out by reading."""
        with suppress(OSError):
            await asyncio.get_running_loop().sock_sendall(self._sock, data)

    async def read(self) -> AsyncIterator[bytes]:
        """What comes, until the stream ends or is cut."""
        loop = asyncio.get_running_loop()
        data = self._held
        while not self._coding.ended:
            if data and (content := self._coding.feed(data)):
                yield content
            if self._coding.ended:
                return
            try:
                data = await loop.sock_recv(self._sock, _READ_BYTES)
            except OSError:
                return
            if not data:
                return

    async def frames(self) -> AsyncIterator[list[tuple[int, bytes]]]:
        """What comes, as the engine's frames, several at a time: 1 for standard output, 2 for error, and the bytes."""
        mixed = Multiplexed()
        async for data in self.read():
            yield mixed.feed(data)

    def is_cut(self) -> bool:
        """True when a stream that nobody reads now has ended, or brought something."""
        try:
            self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return bool(self._held)
        except OSError:
            return True
        return True

    def close(self) -> None:
        """Give the connection up."""
        self._response.close()
        self._sock.close()


class Engine:
    """Calls of `container_spec`, and no others."""

    def __init__(self, url: str, deployment: Deployment) -> None:
        """Talk to the proxy at `url`, `tcp://127.0.0.1:2375` or `unix:///run/x.sock`; nothing is connected yet."""
        self.url = url
        self._calls = calls(deployment)
        self._api: APIClient | None = None
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="docker-executor")
        self._opening = asyncio.Lock()

    async def call(self, name: str, body: bytes | None = None, /, **values: str) -> Answer:
        """The answer to a call; `values` fill its path.

        Raises:
            InfrastructureError: the engine does not answer.
        """
        api = await self._open()
        return await self._thread(self._request, api, name, body, values)

    async def stream(self, name: str, /, **values: str) -> Stream | Answer:
        """A connection with the body still to come, or the answer when the engine refused.

        Raises:
            InfrastructureError: the engine does not answer.
        """
        api = await self._open()
        return await self._thread(self._connect, api, name, values)

    def close(self) -> None:
        """Close idle connections."""
        self._threads.shutdown(wait=False)
        if self._api is not None:
            self._api.close()

    async def _open(self) -> APIClient:
        async with self._opening:
            if self._api is None:
                self._api = await self._thread(self._negotiate)
            return self._api

    def _negotiate(self) -> APIClient:
        """The client of the newest version that the proxy and the engine both take."""
        refusals = []
        for version in VERSIONS:
            api = APIClient(base_url=self.url, version=version, timeout=int(_ANSWER_S), max_pool_size=_THREADS)
            api.mount("http://", HTTPAdapter(pool_maxsize=_THREADS))
            answer = self._request(api, "ping", None, {})
            if answer.status == 200:
                logger.info("engine found", extra={"action": "engine_found", "api_version": version})
                return api
            refusals.append(f"{version}: {answer.status} {answer.message}")
            api.close()
        raise InfrastructureError(f"the container engine speaks none of our versions: {'; '.join(refusals)}")

    def _request(self, api: APIClient, name: str, body: bytes | None, values: dict[str, str]) -> Answer:
        try:
            response = self._send(api, self._calls[name], values, body, stream=False)
            return Answer(status=response.status, body=_body_of(response))
        except (HTTPError, DockerException, OSError) as error:
            raise InfrastructureError(f"the container engine does not answer: {error}") from error

    def _connect(self, api: APIClient, name: str, values: dict[str, str]) -> Stream | Answer:
        try:
            response = self._send(api, self._calls[name], values, None, stream=True)
            if response.status not in {101, 200}:
                return Answer(status=response.status, body=_body_of(response))
        except (HTTPError, DockerException, OSError) as error:
            raise InfrastructureError(f"the container engine does not answer: {error}") from error
        # The SDK takes its sockets out of the response in the same way.
        raw: Any = response
        reader = raw._fp.fp
        sock = reader.raw._sock
        sock.setblocking(False)
        # What came together with the headers is in the reader's buffer; it does not block to look.
        return Stream(response, sock, bytes(reader.peek()))

    def _send(
        self, api: APIClient, call: Call, values: dict[str, str], body: bytes | None, *, stream: bool
    ) -> BaseHTTPResponse:
        headers = {"Connection": "Upgrade", "Upgrade": "tcp"} if call.upgrade else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        wait_s = None if stream else _ANSWER_S + float(values.get("grace", 0))
        return _transport(api).urlopen(
            call.method,
            f"/v{api.api_version}{fill(call.path, values)}",
            body=body,
            headers=headers,
            preload_content=False,
            timeout=Timeout(connect=_CONNECT_S, read=wait_s),
            redirect=False,
            retries=False,
        )

    async def _thread(self, call: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(call, *arguments))


def _transport(api: APIClient) -> HTTPConnectionPool:
    """The connections that the SDK's own requests would use."""
    adapter: Any = api.get_adapter(api.base_url)
    if type(adapter) is HTTPAdapter:
        pool: HTTPConnectionPool = adapter.poolmanager.connection_from_url(api.base_url)
    else:
        pool = adapter.get_connection(api.base_url)
    return pool


def _body_of(response: BaseHTTPResponse) -> bytes:
    """All of an answer that is not too long to be one.

    Raises:
        InfrastructureError: it is.
    """
    body: bytes = response.read(ANSWER_BYTES + 1)
    if len(body) > ANSWER_BYTES:
        response.close()
        raise InfrastructureError(f"the container engine answered with more than {ANSWER_BYTES} bytes")
    response.release_conn()
    return body


def _coding_of(headers: Mapping[str, str]) -> Chunked | Sized | Plain:
    """How the body of an answer is framed."""
    if headers.get("Transfer-Encoding", "") == "chunked":
        return Chunked()
    length = headers.get("Content-Length", "")
    return Sized(int(length)) if length.isdigit() else Plain()
