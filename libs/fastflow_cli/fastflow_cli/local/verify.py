"""What runs of the installation here are started from, looked through by a process with the settings of the runner."""

import subprocess
import sys
from collections.abc import Mapping

import msgspec
from fastflow_events.nats.accounts import DEFAULT_RUNNER
from msgspec import Struct

from fastflow_cli.errors import CliError, NotRunningError
from fastflow_cli.home import Home
from fastflow_cli.local.proxy_socket import find_socket
from fastflow_cli.local.services import environment, installation_id, setting
from fastflow_cli.local.state import is_up, read_state


class Verified(Struct, frozen=True, kw_only=True):
    """What the runner's program says."""

    trees: int
    wheels: int
    changed: dict[str, tuple[str, ...]]


def verify(home: Home, env: Mapping[str, str], only: str) -> Verified:
    """Look at every byte of what has a name that begins with `only`.

    Raises:
        NotRunningError: no installation runs here.
        CliError: it could not be looked through.
    """
    state = read_state(home)
    if state is None or not is_up(home):
        raise NotRunningError(f"no Fast-Flow runs in {home.path}; what a runner has made is looked through beside it")
    own = {
        "FASTFLOW_HOME": str(home.path),
        "FASTFLOW_INSTANCE": DEFAULT_RUNNER,
        "FASTFLOW_EXECUTOR": state.executor,
        "FASTFLOW_INSTALLATION": installation_id(home, env),
    }
    if state.executor == "docker":
        own["FASTFLOW_DOCKER_URL"] = setting(env, "FASTFLOW_DOCKER_URL") or f"unix://{find_socket(home)}"
    argv = [sys.executable, "-m", "fastflow_runner", f"--verify={only}"]
    done = subprocess.run(argv, env=environment(env, own), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    try:
        return msgspec.json.decode(done.stdout, type=Verified)
    except msgspec.MsgspecError as exc:
        words = done.stderr.decode(errors="replace").strip()[-500:]
        raise CliError(f"it was not looked through: {words}") from exc
