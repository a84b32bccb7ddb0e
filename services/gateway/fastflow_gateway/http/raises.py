"""Which errors a route answers with, named beside the route; the contract documents them."""

from collections.abc import Mapping
from typing import Any

from fastflow_events.errors import FastflowError, InfrastructureError

from fastflow_gateway.core.access.errors import NotAllowedError, SignInNeededError, TokenInAddressError
from fastflow_gateway.core.errors import (
    BodyTooLargeError,
    BugError,
    ForeignHostError,
    ForeignOriginError,
    InvalidBodyError,
    InvalidFieldError,
    InvalidParameterError,
    NoJsonTypeError,
    TooManyRequestsError,
)
from fastflow_gateway.core.problems import status_of

KEY = "raises"
Errors = tuple[type[FastflowError], ...]
EVERYWHERE: Errors = (
    InvalidParameterError,
    TokenInAddressError,
    SignInNeededError,
    NotAllowedError,
    ForeignHostError,
    TooManyRequestsError,
    BugError,
    InfrastructureError,
)
WRITES: Errors = (ForeignOriginError, BodyTooLargeError)
"""Of every method that may change something."""
BODIES: Errors = (InvalidBodyError, InvalidFieldError, NoJsonTypeError)
"""Of every route that reads JSON."""


def raises(*errors: type[FastflowError]) -> dict[str, Any]:
    """Return the `opt` of a route that answers with these errors, beside those that every route of its kind has.

    `@get("/{name:str}", opt=raises(NotFoundError))`; with nothing where nothing else can go wrong.
    """
    return {KEY: errors}


def is_named(opt: Mapping[str, Any], error: type[FastflowError]) -> bool:
    """Whether the documented answers of a route have the status of the error."""
    errors = errors_of(opt, writes=True, reads_json=True)
    return errors is None or status_of(error) in {status_of(each) for each in errors}


def errors_of(opt: Mapping[str, Any], *, writes: bool, reads_json: bool) -> Errors | None:
    """Every error that a route answers with; None when it does not say."""
    named: Errors | None = opt.get(KEY)
    return (
        None if named is None else (*EVERYWHERE, *(WRITES if writes else ()), *(BODIES if reads_json else ()), *named)
    )
