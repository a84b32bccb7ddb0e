"""The one executor the settings name."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fastflow_events.errors import SettingsError
from fastflow_events.nats.leases import Standby
from fastflow_rules.network import NoTargetError

from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.adapters.process.executor import ProcessExecutor
from fastflow_runner.condition import Condition
from fastflow_runner.core.bounds import room_for
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.core.names import INSTALLATION
from fastflow_runner.passed import Passed, unheard
from fastflow_runner.ports import (
    Executor,
)
from fastflow_runner.settings import RunnerSettings


@contextmanager
def open_executor(
    settings: RunnerSettings, key: bytes, variables: Mapping[str, str], passed: Passed = unheard
) -> Iterator[Executor]:
    """Have the executor until the block ends; attempts outlive it.

    Raises:
        SettingsError: the process executor has no uv, a setting of the network names no addresses, or nobody says which
            installation this is.
    """
    uv_settings = {name: value for name, value in variables.items() if name.startswith("UV_")}
    executor: DockerExecutor | ProcessExecutor
    if settings.executor == "process":
        executor = _process(settings, key, variables, uv_settings)
    else:
        executor = _docker(settings, key, uv_settings, passed)
    try:
        yield executor
    finally:
        executor.close()


def condition_of(executor: Executor, settings: RunnerSettings) -> Condition:
    """What it says of itself; nobody is asked for it."""
    if not isinstance(executor, DockerExecutor):
        return Condition()
    most = min(settings.standby, settings.slots)
    return Condition(
        versions={"docker": executor.version} if executor.version else {},
        standby=Standby(waiting=executor.waiting, most=most) if most else None,
    )


def _docker(settings: RunnerSettings, key: bytes, uv_settings: Mapping[str, str], passed: Passed) -> DockerExecutor:
    deployment = Deployment(
        installation=_installation(settings),
        image=settings.worker_image,
        network=settings.docker_network,
        volume=settings.docker_volume,
        uid=settings.run_uid,
    )
    try:
        return DockerExecutor(
            settings.docker_url,
            deployment=deployment,
            owner=settings.name,
            key=key,
            uv_settings=uv_settings,
            default_memory_bytes=settings.default_memory_bytes,
            room=room_for(settings.default_disk_bytes, settings.slots),
            tool_s=settings.tool_timeout_s,
            default_cpus=settings.default_cpus,
            opened=settings.run_network_open,
            closed=settings.run_network_closed,
            packages_opened=settings.packages_network_open,
            packages_room=room_for(settings.packages_disk_bytes, settings.slots),
            standby=min(settings.standby, settings.slots),
            passed=passed,
        )
    except NoTargetError as exc:
        names = "FASTFLOW_RUN_NETWORK_OPEN or _CLOSED, or FASTFLOW_PACKAGES_NETWORK_OPEN"
        raise SettingsError(f"{names}: found something else than {exc}") from exc


def _installation(settings: RunnerSettings) -> str:
    """The id with which names of containers begin.

    Raises:
        SettingsError: nobody says what it is.
    """
    if settings.installation:
        return settings.installation
    if settings.installation_file is None:
        raise SettingsError("no installation is named; set FASTFLOW_INSTALLATION_FILE to the file of `fastflow keys`")
    try:
        found = settings.installation_file.read_text().strip()
    except OSError as exc:
        raise SettingsError(f"FASTFLOW_INSTALLATION_FILE cannot be read: {exc}") from exc
    if not re.fullmatch(INSTALLATION, found):
        raise SettingsError(f"{settings.installation_file} holds no id of an installation: eight hex digits")
    return found


def _process(
    settings: RunnerSettings, key: bytes, variables: Mapping[str, str], uv_settings: Mapping[str, str]
) -> ProcessExecutor:
    uv = shutil.which(settings.uv, path=variables.get("PATH"))
    if uv is None:
        raise SettingsError(f"uv is not at FASTFLOW_UV={settings.uv}; install it, or name its path there")
    root = settings.shared_folder / "process"
    return ProcessExecutor(
        root,
        uv=uv,
        key=key,
        variables=variables,
        uv_settings=uv_settings,
        default_memory_bytes=settings.default_memory_bytes,
        room=room_for(settings.default_disk_bytes, settings.slots),
        tool_s=settings.tool_timeout_s,
    )
