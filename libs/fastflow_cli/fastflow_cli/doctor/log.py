"""How full the log of the installation here is, and when it is full."""

import httpx
import msgspec
from fastflow_rules.outlook import Outlook
from msgspec import Struct

from fastflow_cli.doctor.finding import Finding, ok, warning
from fastflow_cli.home import Home
from fastflow_cli.local.state import is_up, read_state

SOON_DAYS = 30.0
NEARLY = 0.7
ANSWER_WITHIN_S = 5.0


class _Health(Struct, frozen=True):
    log: Outlook | None = None


def log(home: Home) -> list[Finding]:
    """What the gateway of the running installation says; nothing where none runs."""
    state = read_state(home)
    if state is None or not state.url or not is_up(home):
        return []
    try:
        answer = httpx.get(f"{state.url}/health/ready", timeout=ANSWER_WITHIN_S, trust_env=False)
        outlook = msgspec.json.decode(answer.content, type=_Health).log
    except (httpx.HTTPError, msgspec.MsgspecError) as exc:
        return [warning("log", f"the gateway does not say how full the log is: {exc}", "fastflow status")]
    return [judged(outlook)] if outlook else []


def judged(outlook: Outlook) -> Finding:
    """Whether somebody has to do something soon; pure."""
    share = outlook.bytes / outlook.max_bytes if outlook.max_bytes else 0.0
    detail = f"{outlook.bytes / 1e9:.2f} of {outlook.max_bytes / 1e9:.1f} GB"
    detail += f"; {outlook.forecast}" if outlook.forecast else "; too little is known to say when it is full"
    if share < NEARLY and (outlook.full_in_days is None or outlook.full_in_days >= SOON_DAYS):
        return ok("log", detail)
    return warning("log", detail, f"FASTFLOW_EVENTS_BYTES={2 * outlook.max_bytes} fastflow up")
