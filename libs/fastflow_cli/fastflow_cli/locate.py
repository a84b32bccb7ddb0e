"""Which gateway a command talks to."""

from collections.abc import Mapping

from fastflow_cli.errors import NotRunningError
from fastflow_cli.home import find_home
from fastflow_cli.local.state import is_up, read_state
from fastflow_cli.options import Where


def gateway_url(where: Where, env: Mapping[str, str]) -> str:
    """The named URL, else `FASTFLOW_URL`, else the one the installation on this machine wrote down.

    Raises:
        NotRunningError: none is named and nothing runs here.
    """
    if where.url or (env.get("FASTFLOW_URL") and where.home is None):
        return (where.url or env["FASTFLOW_URL"]).rstrip("/")
    home = find_home(where.home, env)
    state = read_state(home)
    if state is None or not state.ready or not is_up(home):
        raise NotRunningError(f"no Fast-Flow runs in {home.path}, and neither --url nor FASTFLOW_URL names another")
    return state.url
