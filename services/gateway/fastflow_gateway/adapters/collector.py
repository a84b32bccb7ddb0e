"""The OTLP collector that the environment names, over HTTP."""

import asyncio
import urllib.error
import urllib.request

from fastflow_events.errors import InfrastructureError

TRIES = 3
WITHIN_S = 10.0
PATH = "/v1/traces"


class Collector:
    """Takes exports; one that does not answer is asked again, twice."""

    def __init__(self, endpoint: str) -> None:
        self._url = endpoint.rstrip("/") + PATH

    async def send(self, body: bytes) -> None:
        """Hand over one export.

        Raises:
            InfrastructureError: it was not taken.
        """
        for left in range(TRIES - 1, -1, -1):
            try:
                await asyncio.to_thread(self._post, body)
            except (OSError, ValueError) as exc:
                if left == 0 or (isinstance(exc, urllib.error.HTTPError) and exc.code < 500):
                    raise InfrastructureError(f"the collector does not take traces: {exc}") from exc
                await asyncio.sleep(1.0)
            else:
                return

    def _post(self, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url, data=body, headers=headers, method="POST")
        with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
            answer.read(65_536)
