"""How every service starts: settings from the environment, log lines as JSON, one exit code per reason."""

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastflow_events.errors import FastflowError, SettingsError
from fastflow_events.service import telemetry
from fastflow_events.service.settings import Settings, load

S = TypeVar("S", bound=Settings)

EXIT_FAILED = 1
EXIT_SETTINGS = 2

logger = logging.getLogger(__name__)


def start(service: str, settings_type: type[S], run: Callable[[S], Awaitable[None]]) -> None:
    """Run the service until SIGTERM; never returns.

    Exit codes: 0 after SIGTERM, 1 when something the service needs failed, 2 when its environment is wrong.
    """
    try:
        settings = load(settings_type, os.environ)
    except SettingsError as exc:
        sys.stderr.write(f"{service}: {exc}\n")
        sys.exit(EXIT_SETTINGS)
    telemetry.configure(service, settings.log_level)

    async def main() -> None:
        await run(settings)

    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
    except FastflowError as exc:
        logger.error("%s", exc, extra={"action": "failed", "code": exc.code})  # noqa: TRY400 - a sentence is enough
        sys.exit(EXIT_FAILED)
    except Exception:  # the last line of defence: whoever starts it again has to find the reason in the log
        logger.exception("ended by a fault of ours", extra={"action": "failed", "code": "bug"})
        sys.exit(EXIT_FAILED)
    sys.exit(0)
