"""Where things lie for one attempt."""

from msgspec import Struct

STATE_FOLDER = ".fastflow"
"""Reserved at the top of every pipeline's folder."""


class AttemptPaths(Struct, frozen=True, kw_only=True):
    """Where things lie for one attempt, as its entry program sees them."""

    code: str
    app: str
    state: str
    """Folder of the markers."""
    home: str
    entry: str
    """Folder of the entry program itself."""
    cache: str = ""
    """Folder of its pipeline's own, which outlives the attempt, for one that installs for itself."""
    spool: str = ""
    """File that takes the output; empty sends it to the engine."""
    contained: bool
    """The entry program is alone with the script in a container, whose environment variables are the script's too."""

    @property
    def artifacts(self) -> str:
        """Folder for files that outlive the run."""
        return f"{self.state}/artifacts"

    @property
    def progress_file(self) -> str:
        """File in which the driver of a notebook says how far it came."""
        return f"{self.state}/progress"

    @property
    def result_file(self) -> str:
        """File in which a script leaves what other runs may use."""
        return f"{self.state}/result"

    @property
    def route_file(self) -> str:
        """File by which a script names the way its chain takes."""
        return f"{self.state}/route"
