"""Names that people give: what can be read, typed and compared; no blanks, nothing invisible. Pure."""

import re

from fastflow_gateway.core.errors import InvalidParameterError
from fastflow_gateway.core.refused_requests import NameLetters

LONGEST = 100
_NAME = re.compile(rf"[\w.-]{{1,{LONGEST}}}")


def must_be_name(name: str, parameter: str) -> None:
    """Refuse what nobody could tell from another name; what already has such a name keeps it.

    Raises:
        InvalidParameterError: it holds something else than letters, digits, dots, dashes and underscores.
    """
    if not _NAME.fullmatch(name):
        raise InvalidParameterError(NameLetters(LONGEST), parameter=parameter, given=repr(name[:40]))
