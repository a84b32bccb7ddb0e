"""AsyncAPI 3.0: channels are subjects, messages are facts."""

from typing import Any

from fastflow_events import subjects
from fastflow_events.fact import Fact, aggregate_name, fact_name
from fastflow_events.nats.accounts import accounts

HEADERS = {
    "ce-specversion": "1.0",
    "ce-id": "<aggregate>/<id>/<version>; version counts the facts of the aggregate from 1.",
    "ce-type": "Wire name; decides how the body is decoded.",
    "ce-source": "/fastflow/<service>/<instance>",
    "ce-subject": "<aggregate>/<id>, percent-encoded as CloudEvents' NATS binding says.",
    "ce-time": "When its writer wrote it, RFC 3339, UTC.",
    "correlationid": "The same for everything that follows from one request.",
    "causationid": "ce-id of the fact that made this one necessary.",
    "traceparent": "W3C trace context.",
}
OPTIONAL = ("causationid", "traceparent")
TOKEN = "Any text as one subject token: UTF-8 bytes outside [A-Za-z0-9_-] are written =XX."
CHANNELS = {
    "trigger": (subjects.TRIGGERS, "Ask for a run and go on; stored. The body is that of POST …/run, or empty."),
    "request": (subjects.REQUESTS, "Ask for a run and wait for the answer: {run_id, status, seq} or a problem object."),
    "feed": (subjects.FEED, "Every fact's headers, without its body, under its own subject: the bell."),
    "output": ("fastflow.out.*.*.*", "Output of one attempt, MessagePack; the scopes are run, attempt and its runner."),
    "sample": ("fastflow.sample.*.*.*", "CPU and memory of one attempt, MessagePack; the scopes are those of output."),
    "dead": (subjects.DEAD, "What a service could not handle, as it came, with the reason in its headers."),
}


def document(facts: dict[str, type[Fact]]) -> dict[str, Any]:
    """The whole document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Fast-Flow",
            "version": "0.1.0",
            "description": "Facts on NATS JetStream, CloudEvents 1.0 in binary mode.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {**{name: _channel(*c) for name, c in CHANNELS.items()}, **_fact_channels(facts)},
        "operations": _operations(facts),
        "components": {
            "messages": {type_: _message(type_, cls) for type_, cls in facts.items()},
            "schemas": {"envelope": _envelope()},
        },
    }


def address(type_: str, cls: type[Fact]) -> str:
    """The subject of a fact with its varying tokens in braces."""
    scope = ".{scope}" if cls.scope_field else ""
    return f"fastflow.evt.{aggregate_name(type_)}.{{id}}.{fact_name(type_)}{scope}"


def _channel(subject: str, description: str) -> dict[str, Any]:
    return {"address": subject, "description": description}


def _fact_channels(facts: dict[str, type[Fact]]) -> dict[str, Any]:
    channels = {}
    for type_, cls in facts.items():
        parameters = {"id": {"description": f"Id of the {aggregate_name(type_)}. {TOKEN}"}}
        if cls.scope_field:
            parameters["scope"] = {"description": f"The fact's {cls.scope_field}. {TOKEN}"}
        channels[type_] = {
            "address": address(type_, cls),
            "parameters": parameters,
            "messages": {"fact": {"$ref": f"#/components/messages/{type_}"}},
        }
    return channels


def _operations(facts: dict[str, type[Fact]]) -> dict[str, Any]:
    operations = {}
    for type_, cls in facts.items():
        appenders = appended_by(type_, cls)
        operations[f"append {type_}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{type_}"},
            "summary": f"Appended by {' and '.join(appenders)}." if appenders else "Appended by the deployer.",
        }
    return operations


def appended_by(type_: str, cls: type[Fact]) -> list[str]:
    """The services whose account may publish the fact."""
    scope = "default" if cls.scope_field else None
    subject = subjects.event(aggregate_name(type_), "x", fact_name(type_), scope)
    return [account.user for account in accounts() if any(_covers(p, subject) for p in account.publishes)]


def _covers(pattern: str, subject: str) -> bool:
    wanted, have = pattern.split("."), subject.split(".")
    return len(wanted) == len(have) and all(w in ("*", h) for w, h in zip(wanted, have, strict=True))


def _message(type_: str, cls: type[Fact]) -> dict[str, Any]:
    return {
        "name": type_,
        "summary": (cls.__doc__ or "").split("\n", maxsplit=1)[0],
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/envelope"},
        "payload": {"$ref": f"events/{type_}.schema.json"},
    }


def _envelope() -> dict[str, Any]:
    return {
        "type": "object",
        "required": [name for name in HEADERS if name not in OPTIONAL],
        "properties": {name: {"type": "string", "description": words} for name, words in HEADERS.items()},
    }
