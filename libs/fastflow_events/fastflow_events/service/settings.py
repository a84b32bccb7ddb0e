"""Settings are read from the environment once, by `__main__`; everything else is handed a struct."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta, Struct

from fastflow_events.errors import SettingsError

PREFIX = "FASTFLOW_"
ALIASES: Mapping[str, str] = {
    "FASTFLOW_DOCKER_URL": "DOCKER_PROXY_URL",
    "FASTFLOW_WORKER_IMAGE": "WORKER_BASE_IMAGE",
    "FASTFLOW_EXECUTOR": "PIPELINE_EXECUTOR",
    "FASTFLOW_DEFAULT_PYTHON": "DEFAULT_PYTHON_VERSION",
    "FASTFLOW_MAX_CONCURRENT_RUNS": "MAX_CONCURRENT_RUNS",
    "FASTFLOW_DEFAULT_TIMEOUT_S": "CONTAINER_TIMEOUT",
    "FASTFLOW_DEFAULT_RETRIES": "RETRY_ATTEMPTS",
    "FASTFLOW_GIT_URL": "GIT_REPO_URL",
    "FASTFLOW_GIT_BRANCH": "GIT_BRANCH",
    "FASTFLOW_GIT_SUBFOLDER": "PIPELINES_SUBDIR",
    "FASTFLOW_POLL_EVERY_S": "AUTO_SYNC_INTERVAL",
    "FASTFLOW_ENCRYPTION_KEY": "ENCRYPTION_KEY",
    "FASTFLOW_PRE_HEAT": "UV_PRE_HEAT",
    "FASTFLOW_LOG_LEVEL": "LOG_LEVEL",
    "FASTFLOW_OTLP_ENDPOINT": "OTEL_EXPORTER_OTLP_ENDPOINT",
}
"""Our name to the name the same setting has in older installations."""

T = TypeVar("T", bound="Settings")


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every service needs to know."""

    nats_url: str = "nats://127.0.0.1:4222"
    nats_seed_file: Path | None = None
    """File with the nkey seed of this service; None connects without authentication."""
    instance: Annotated[str, Meta(min_length=1, max_length=100)] = msgspec.field(default_factory=socket.gethostname)
    """Name of this process among its replicas."""
    home: Path = Path("data")
    """Folder for what the service may lose and rebuild."""
    health_host: str = "127.0.0.1"
    health_port: int = 0
    """Port of /health/live, /health/ready and /metrics; 0 takes a free one."""
    log_level: str = "INFO"


def load(cls: type[T], env: Mapping[str, str]) -> T:
    """Read `FASTFLOW_<FIELD>`, or its older name, for each field of `cls`; text becomes the field's type.

    Raises:
        SettingsError: a variable is missing, does not fit its field, or contradicts its older name.
    """
    raw = {}
    for field in msgspec.structs.fields(cls):
        name = PREFIX + field.name.upper()
        value = _value(env, name, ALIASES.get(name))
        if value is not None:
            raw[field.name] = value
        elif field.required:
            raise SettingsError(f"the environment variable {name} is not set")
    try:
        return msgspec.convert(raw, cls, strict=False, dec_hook=_construct)
    except msgspec.ValidationError as exc:
        field_name = str(exc).rpartition("`$.")[2].strip("`")
        raise SettingsError(f"the environment variable {PREFIX}{field_name.upper()} does not fit: {exc}") from exc


def _value(env: Mapping[str, str], name: str, alias: str | None) -> str | None:
    """Return the value of `name` or its alias; an empty text counts as not set."""
    ours, older = env.get(name) or None, (env.get(alias) or None) if alias else None
    if ours is not None and older is not None and ours != older:
        raise SettingsError(f"{name} and its older name {alias} are both set and differ; remove one")
    return ours if ours is not None else older


def _construct(type_: type, value: Any) -> Any:
    if type_ is Path:
        return Path(value)
    raise NotImplementedError(type_)
