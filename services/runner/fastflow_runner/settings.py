"""What the runner reads from its environment."""

from pathlib import Path
from typing import Annotated, Literal

from fastflow_events import subjects
from fastflow_events.nats.topology import DEFAULT_POOL, HEARTBEAT_TTL_S
from fastflow_events.service.settings import Settings
from msgspec import Meta

from fastflow_runner.core.container_spec import IMAGE, MAX_UID, NAME, RUN_UID
from fastflow_runner.core.names import INSTALLATION

MARGIN_S = 3.0
"""Clocks differ, and whoever was cut off needs a moment to say that it lives."""


class RunnerSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One runner is one name, one engine and a number of slots."""

    runner_id: Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9_.-]{0,63})?\Z")] = ""
    """Name that survives restarts; what this runner claimed before a restart is found under it. Empty: `instance`."""
    pools: str = DEFAULT_POOL
    """Queues this runner takes work from; commas between their names."""
    slots: Annotated[int, Meta(ge=1, le=1000)] = 4
    """Slots: attempts it executes at once."""
    executor: Literal["docker", "process"] = "docker"
    """Exactly this one; the service never falls back to the other."""
    docker_url: str = "tcp://127.0.0.1:2375"
    """Address of the socket proxy."""
    worker_image: Annotated[str, Meta(pattern=rf"^{IMAGE}\Z")] = "fastflow-worker:latest"
    """Image of the containers; the socket proxy allows no other."""
    docker_network: Annotated[str, Meta(pattern=rf"^{NAME}\Z")] = "fastflow-runs"
    """Network of the containers; the socket proxy allows no other."""
    docker_volume: Annotated[str, Meta(pattern=rf"^({NAME})?\Z")] = ""
    """Volume of code and environments; the socket proxy allows no other. Empty: `fastflow-<installation>-uv`."""
    run_uid: Annotated[int, Meta(ge=1, le=MAX_UID)] = RUN_UID
    """User and group of the containers; worker image and socket proxy must be made for the same."""
    installation: Annotated[str, Meta(pattern=rf"^({INSTALLATION})?\Z")] = ""
    """Id with which the names of all its containers begin; the socket proxy allows no other."""
    installation_file: Path | None = None
    """File with that id, as `fastflow keys` makes it."""
    standby: Annotated[int, Meta(ge=0, le=1000)] = 4
    """Containers that may wait, started, for attempts; never more than slots, fewer when little is asked; 0: none."""
    uv: str = "uv"
    """uv's binary for the process executor: a path, or a name on PATH."""
    sealing_keys_file: Path | None = None
    """Private keys that open sealed values, shared by all runners; None: made once in `runner/sealing.keys`."""
    encryption_key_file: Path | None = None
    """File with the key that opens the encrypted values of an older installation."""
    encryption_key: str = ""
    """The same as text; the file is better, because processes can be asked for their environment."""
    default_python: str = "3.11"
    """The Python of pipelines that name none, when they are prepared ahead; for runs the scheduler's decides."""
    default_memory_bytes: Annotated[int, Meta(ge=0)] | None = None
    """Memory of a run whose pipeline names no limit; None is half of the machine's, 0 is unlimited."""
    default_cpus: Annotated[float, Meta(ge=0)] | None = None
    """Processors of a run whose pipeline names no limit; None is all of the machine's but one, 0 is unlimited."""
    default_disk_bytes: Annotated[int, Meta(ge=0)] | None = None
    """What a run may keep on the disk whose pipeline names no limit; None is a share of what is free as it begins, one
    for each slot and one more; 0 is unlimited."""
    run_network_open: str = ""
    """Targets that runs reach although they are closed to them otherwise: `10.0.0.5:5432`, commas between them."""
    run_network_closed: str = ""
    """Targets that no run reaches; `private` is every network that is not of the internet."""
    packages_network_open: str = ""
    """Targets that whatever fetches or builds packages reaches although they are closed to it otherwise."""
    packages_disk_bytes: Annotated[int, Meta(ge=0)] | None = None
    """What fetching or building may take of the disk, for each environment; None is a share, 0 is unlimited."""
    pre_heat: bool = True
    """Prepare environments as soon as a new version of a pipeline is stored, before anybody runs it."""
    max_artifacts: Annotated[int, Meta(ge=0, le=1000)] = 200
    """Files of one attempt that are kept."""
    max_artifact_bytes: Annotated[int, Meta(ge=0)] = 256 << 20
    """Size of the largest file that is kept."""
    max_artifacts_bytes: Annotated[int, Meta(ge=0)] = 1 << 30
    """Size of all files together that are kept of one attempt."""
    prepare_timeout_s: Annotated[float, Meta(gt=0)] = 1800.0
    """How long an environment may be in the making, builds included, before it is ended and its run fails."""
    pre_heat_timeout_s: Annotated[float, Meta(gt=0)] = 600.0
    """The same for one that nobody waits for yet; then the next one has its turn."""
    tool_timeout_s: Annotated[float, Meta(gt=0)] = 900.0
    """How long code may be staged, or something be deleted, before that is ended and tried again."""
    retry_for_s: Annotated[float, Meta(ge=0)] = 60.0
    """How long an engine that fails is asked again before an attempt that never started is given up."""
    drain: bool = False
    """On SIGTERM, finish what is in hand before ending; otherwise attempts run on and the next process adopts them."""
    take_over_after_s: Annotated[float, Meta(ge=0)] = 2 * HEARTBEAT_TTL_S + MARGIN_S
    """How long another runner of this engine must have been silent before its attempts are adopted."""

    @property
    def name(self) -> str:
        """The runner's id."""
        return self.runner_id or self.instance

    @property
    def pool_names(self) -> tuple[str, ...]:
        """The pools, one by one."""
        return tuple(dict.fromkeys(name.strip() for name in self.pools.split(",") if name.strip()))

    @property
    def shared_folder(self) -> Path:
        """What all runners of this home share: the key and the process executor's files."""
        return self.home / "runner"

    @property
    def folder(self) -> Path:
        """What belongs to this runner alone: its lock and its fold of the log."""
        return self.shared_folder / subjects.encode(self.name)
