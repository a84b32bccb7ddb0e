"""Start the gateway: the only place that reads the environment."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import FrameType

from fastflow_events.errors import FastflowError
from fastflow_events.service import telemetry
from fastflow_events.service.settings import load

from fastflow_gateway.recovery import recover
from fastflow_gateway.server import server_of
from fastflow_gateway.settings import GatewaySettings

FAILED = 1
USAGE_ERROR = 2


def read_settings(arguments: Sequence[str], env: Mapping[str, str]) -> GatewaySettings:
    """Return the settings of the environment; `--insecure` says the same as `FASTFLOW_INSECURE=1`.

    Raises:
        SettingsError: the environment does not describe a gateway.
    """
    insecure = {"FASTFLOW_INSECURE": "1"} if "--insecure" in arguments else {}
    return load(GatewaySettings, {**env, **insecure})


def _stopped(_number: int, _frame: FrameType | None) -> None:
    """Uvicorn has shut everything down and raises the signal again; being asked to stop is no failure."""


def main() -> None:
    """Run until a signal comes; `recover` prints the token of an admin instead."""
    try:
        settings = read_settings(sys.argv[1:], os.environ)
        if sys.argv[1:] == ["recover"]:
            sys.stdout.write(asyncio.run(recover(settings, os.urandom)) + "\n")
            return
        telemetry.configure("gateway", settings.log_level)
        server = server_of(settings)
    except FastflowError as exc:
        sys.stderr.write(f"fastflow-gateway: {exc}\n")
        sys.exit(USAGE_ERROR)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stopped)
    with suppress(SystemExit):  # uvicorn's own way to say that the application did not open
        server.run()
    if server.failed:
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
