"""Whatever goes wrong leaves as `application/problem+json`."""

import logging
from http import HTTPStatus
from typing import Any

from fastflow_events.errors import FastflowError
from fastflow_events.message import Statement, Verbatim
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap
from msgspec import UNSET

from fastflow_gateway.core.errors import Finding, InvalidParameterError, finding
from fastflow_gateway.core.faults import Bug, OfParameter
from fastflow_gateway.core.problems import CONTENT_TYPE, Problem, problem_of, title_of
from fastflow_gateway.core.refused_requests import Unreadable
from fastflow_gateway.http.raises import is_named

logger = logging.getLogger(__name__)

AnyRequest = Request[Any, Any, Any]
LEFT = "client disconnected prematurely"
"""What the framework says when nobody waits for the answer any more."""
LEFT_STATUS = 499
_LATER = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)


def _answer(problem: Problem, headers: dict[str, str] | None = None) -> Response[Problem]:
    again = {"Retry-After": "1"} if problem.status in _LATER else {}
    headers = {**again, **(headers or {})}
    return Response(problem, status_code=problem.status, media_type=CONTENT_TYPE, headers=headers)


def _ours(request: AnyRequest, error: FastflowError) -> Response[Problem]:
    problem = problem_of(error)
    handler = request.scope.get("route_handler")
    if handler is not None and not is_named(handler.opt, type(error)):
        named = {"action": "unnamed_error", "code": error.code, "path": request.url.path}
        logger.error("answered with an error that its route does not name", extra=named)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.warning("request failed: %s", error, extra={"action": "request_failed", "code": error.code})
    return _answer(problem)


def _the_frameworks(_: AnyRequest, error: HTTPException) -> Response[Problem]:
    if error.detail == LEFT:
        logger.debug("the caller left", extra={"action": "caller_left"})
        return Response(None, status_code=LEFT_STATUS)  # type: ignore[arg-type]
    status = HTTPStatus(error.status_code)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("request failed", exc_info=error, extra={"action": "request_failed", "code": status.phrase})
    findings: tuple[Finding, ...] = ()
    if isinstance(error, ValidationException) and isinstance(error.extra, list):
        findings = tuple(
            finding(OfParameter(name := str(found.get("key", "?")), str(found.get("message", ""))), parameter=name)
            for found in error.extra
        )
    ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    words: Statement = Bug() if ours else Verbatim(error.detail)
    if findings:
        words = Unreadable(tuple(found.parameter or "?" for found in findings))
    problem = Problem(
        type=f"urn:fastflow:{InvalidParameterError.code if findings else status.phrase.lower().replace(' ', '-')}",
        title=title_of(InvalidParameterError) if findings else status.phrase,
        status=status.value,
        detail=str(words),
        detail_message=words.message,
        errors=findings or UNSET,
    )
    return _answer(problem, dict(error.headers or {}))


def _bug(request: AnyRequest, error: Exception) -> Response[Problem]:
    logger.error("bug", exc_info=error, extra={"action": "bug", "path": request.url.path})
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    words = Bug()
    problem = Problem(
        type="urn:fastflow:bug",
        title=status.phrase,
        status=status.value,
        detail=str(words),
        detail_message=words.message,
    )
    return _answer(problem)


HANDLERS: ExceptionHandlersMap = {FastflowError: _ours, HTTPException: _the_frameworks, Exception: _bug}
