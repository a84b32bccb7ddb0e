"""Two installations on one engine: everything that one would have to say to get at what is the other's.

It is made from all that the runner can say, so that a new request is tried by itself.
"""

from collections.abc import Iterator, Mapping
from itertools import product

from msgspec import Struct

from fastflow_runner.core.container_spec import Call, Deployment, calls, create_forms, update_form
from fastflow_runner.core.template import Slot, Template, fill

SHARED = frozenset({"ping", "info", "image"})
"""Calls that concern the engine, or the image that both use, and nothing of anybody's."""


class Said(Struct, frozen=True, kw_only=True):
    """One request."""

    call: str
    method: str
    target: str
    body: str = ""
    upgrade: bool = False


def everything(version: str, deployment: Deployment, values: Mapping[str, list[str]]) -> Iterator[Said]:
    """Every request that the installation's runner can make, with each of the values of its slots.

    Raises:
        KeyError: nobody says what a slot may hold.
    """
    for name, call in calls(deployment).items():
        if not call.body:
            for path in filled(call.path, values):
                yield _said(version, name, call, path)
    forms = [("create", "/containers/create?name=", form, "") for form in create_forms(deployment).values()]
    for name, before, form, behind in [*forms, ("update", "/containers/", update_form(deployment), "/update")]:
        for text in filled((before, *form.name, f"{behind}|", *form.body), values):
            path, _, body = text.partition("|")
            yield _said(version, name, calls(deployment)[name], path, body)


def filled(template: Template, values: Mapping[str, list[str]]) -> Iterator[str]:
    """The template with every combination of the values of its slots."""
    names = list(dict.fromkeys(part.name for part in template if isinstance(part, Slot)))
    for chosen in product(*(values[name] for name in names)):
        yield fill(template, dict(zip(names, chosen, strict=True)))


def mixtures(text: str, mine: str, theirs: str) -> Iterator[str]:
    """The text with the id of another installation in place of ours: everywhere, and in some of the places only."""
    first, *rest = text.split(mine)
    for chosen in product((mine, theirs), repeat=len(rest)):
        if theirs in chosen:
            yield first + "".join(word + part for word, part in zip(chosen, rest, strict=True))


def _said(version: str, name: str, call: Call, path: str, body: str = "") -> Said:
    return Said(call=name, method=call.method, target=f"/v{version}{path}", body=body, upgrade=call.upgrade)
