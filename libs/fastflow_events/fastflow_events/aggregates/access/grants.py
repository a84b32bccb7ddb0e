"""What somebody may do, and where."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

Role: TypeAlias = Literal["viewer", "operator", "admin"]
"""Each may what those before it may: look; start, stop and pause; decide what code runs, and who comes in."""
RANK: dict[Role, int] = {"viewer": 1, "operator": 2, "admin": 3}
EVERYTHING = "*"


class Grant(Struct, frozen=True):
    """A role on something."""

    role: Role
    on: Annotated[str, Meta(pattern=r"^(\*|pipeline:[^\x00-\x1f\x7f]{1,200}|tag:[^\x00-\x1f\x7f]{1,100})$(?!\n)")] = (
        EVERYTHING
    )
    """`*` is the whole installation, `pipeline:NAME` one pipeline, `tag:TAG` those that carry a tag."""
