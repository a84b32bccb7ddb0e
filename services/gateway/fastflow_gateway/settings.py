"""What the gateway needs to know."""

from pathlib import Path
from typing import Annotated, Literal

from fastflow_events.errors import SettingsError
from fastflow_events.service.settings import Settings
from fastflow_events.types import Bytes, Seconds
from msgspec import Meta

from fastflow_gateway.core.hosts import is_loopback


class GatewaySettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything has a default that works on one machine."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8000
    """0 takes a free one; the log line `listening` and `address_file` say which."""
    login: Literal["on", "off"] = "off"
    """`on`: whoever asks has to show a token. `off` is for loopback, where everybody may do everything."""
    access_key_file: Path | None = None
    """The key under which tokens are stored, the same for all gateways; without it one beside the read model."""
    insecure: bool = False
    """Listen on other addresses than loopback although nobody has to log in."""
    allowed_hosts: str = ""
    """Names by which it is called beside those of loopback and `host`, separated by commas; with a port only there."""
    trusted_proxies: str = ""
    """Addresses and networks of proxies whose `X-Forwarded-For` says who asks, separated by commas; of others it is
    passed over."""
    request_head_within_s: Annotated[float, Meta(gt=0)] = 10.0
    """A connection that has not said by then what it wants is ended."""
    request_body_within_s: Annotated[float, Meta(gt=0)] = 60.0
    """A request whose body is not complete by then is ended with its connection."""
    address_file: Path | None = None
    """Where to write the URL once the gateway listens."""
    hook_secrets_file: Path | None = None
    """File with the secrets of push hooks, one per line; without it no hook is taken."""
    max_body_bytes: Bytes = 1_000_000
    keep_alive_s: Seconds = 15.0
    """A silent event stream says that it lives after this long."""
    streams: Annotated[int, Meta(ge=1)] = 2500
    """So many event streams are open at once at most; one more is told to come back."""
    streams_per_client: Annotated[int, Meta(ge=0)] = 200
    """So many of them with one token, or, where nobody has to log in, from one address; 0 is no limit."""
    slow_reader_s: Seconds = 30.0
    """Whoever takes nothing of what he asked for so long is let go."""
    otlp_endpoint: str = ""
    """Where a trace of every run that ends is sent, over HTTP, as JSON; empty: nowhere."""
    default_python: str = "3.11"
    """What a pipeline runs with that names no Python; the scheduler has the same setting."""
    env_keep_days: Annotated[float, Meta(ge=0)] = 14.0
    """Environments that were prepared, or that a run was started in, since then stay."""
    requests_per_s: Annotated[float, Meta(gt=0)] = 20.0
    """What an address may ask for on average; an IPv6 one with all of its network."""
    requests_at_once: Annotated[int, Meta(ge=1)] = 200
    """What it may ask for in one go, when it has not asked for a while."""
    local_requests_per_s: Annotated[float, Meta(gt=0)] = 2000.0
    """The same for everybody on this machine together."""
    local_requests_at_once: Annotated[int, Meta(ge=1)] = 20_000
    requests_open: Annotated[int, Meta(ge=1)] = 5000
    """Requests of all callers that are answered at the same time, streams too."""
    connections: Annotated[int, Meta(ge=1)] = 6000
    """Of all callers; one more is ended at once."""
    connections_per_address: Annotated[int, Meta(ge=1)] = 100
    """Of a caller on another machine."""
    hooks_per_minute: Annotated[int, Meta(ge=1)] = 30
    """Of an address."""
    syncs_per_minute: Annotated[int, Meta(ge=1)] = 6
    """How often somebody on another machine may ask for all repositories to be fetched."""
    graceful_timeout_s: Annotated[int, Meta(ge=0)] = 3
    """How long open requests may finish at shutdown; event streams never do by themselves."""

    @property
    def store_path(self) -> Path:
        """The read model; may be deleted at any time while the gateway is down."""
        return self.home / "gateway" / "read.db"

    @property
    def access_key_path(self) -> Path:
        """Where the key of tokens is; it is made at the first start."""
        return self.access_key_file or self.home / "gateway" / "access.key"

    @property
    def first_token_path(self) -> Path:
        """Where the token of whoever comes first is left."""
        return self.access_key_path.with_name("first-admin.token")


def must_be_private(settings: GatewaySettings) -> None:
    """Refuse to serve strangers while there is no login.

    Raises:
        SettingsError: the address is reachable from elsewhere and nobody said that this is wanted.
    """
    if settings.login == "off" and not settings.insecure and not is_loopback(settings.host):
        raise SettingsError(
            f"FASTFLOW_HOST={settings.host} can be reached from other machines and nobody has to log in; "
            "say FASTFLOW_LOGIN=on, listen on 127.0.0.1, or say --insecure (FASTFLOW_INSECURE=1) behind something that "
            "checks who comes in"
        )
