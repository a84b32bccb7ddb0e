"""Where an embedded installation keeps everything."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct


class Home(Struct, frozen=True):
    """The folder of one installation and the names inside it."""

    path: Path

    @property
    def nats(self) -> Path:
        """JetStream's store: the log."""
        return self.path / "nats"

    @property
    def keys(self) -> Path:
        """One nkey seed per service, readable by their owner only."""
        return self.path / "keys"

    @property
    def logs(self) -> Path:
        """One log file per child process."""
        return self.path / "logs"

    @property
    def read_model(self) -> Path:
        """SQLite file of the gateway; may be deleted whenever the gateway is down."""
        return self.path / "gateway" / "read.db"

    @property
    def lock_file(self) -> Path:
        """Locked by the `fastflow up` that runs here."""
        return self.path / "up.lock"

    @property
    def state_file(self) -> Path:
        """What the last `fastflow up` said about itself."""
        return self.path / "up.json"

    def log_of(self, child: str) -> Path:
        """Where a child process writes."""
        if child == "nats":
            return self.nats / "nats.log"
        return self.logs / f"{child}.log"

    def make(self) -> None:
        """Create the folders; safe to repeat."""
        self.path.mkdir(
            mode=0o700, parents=True, exist_ok=True
        )  # the log holds what runs were given, and what they said
        for folder in (self.nats, self.logs, *(self.path / name for name in ("gateway", "scheduler", "git_sync"))):
            folder.mkdir(exist_ok=True)
        for private in (self.keys, self.path / "runner"):
            private.mkdir(mode=0o700, exist_ok=True)


def find_home(named: Path | None, env: Mapping[str, str]) -> Home:
    """The folder named on the command line, else `FASTFLOW_HOME`, else the user's data folder."""
    if named is not None:
        return Home(named.expanduser().absolute())
    if env.get("FASTFLOW_HOME"):
        return Home(Path(env["FASTFLOW_HOME"]).expanduser().absolute())
    data = env.get("XDG_DATA_HOME") or str(Path(env.get("HOME", "~")).expanduser() / ".local" / "share")
    return Home(Path(data) / "fastflow")
