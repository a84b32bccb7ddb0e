"""Options that many verbs share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter

Json: TypeAlias = Annotated[bool, Parameter(name="--json", negative=())]
HomeOption: TypeAlias = Annotated[Path | None, Parameter(name="--home")]


@Parameter(name="*")
@dataclass(frozen=True)
class Where:
    """Which installation is meant.

    Parameters
    ----------
    url
        URL of the gateway; else FASTFLOW_URL, else what `fastflow up` wrote down.
    home
        Folder of an installation on this machine; else FASTFLOW_HOME, else the user's data folder.
    """

    url: str | None = None
    home: Path | None = None
