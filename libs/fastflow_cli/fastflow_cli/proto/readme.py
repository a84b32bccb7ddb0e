"""The first page of `proto/`."""

from fastflow_events.fact import Fact

from fastflow_cli.proto.asyncapi import address, appended_by

HEAD = """\
# The contract

Made by `make proto` from the structs that go over the wire; `make check` says when it is stale. Do not edit.

| file | holds |
|---|---|
| `events/<wire name>.schema.json` | JSON Schema of a fact's body |
| `asyncapi.yaml` | AsyncAPI 3.0: subjects and messages on NATS |
| `openapi.json` | OpenAPI 3.1: the gateway over HTTP |
| `messages.json` | every code of what is said to people, with its English template and the types of its arguments |
| `pipeline.schema.json` | JSON Schema of `pipeline.json`, for editors |
| `fastflow.schema.json` | JSON Schema of `fastflow.json`, which speaks for all pipelines of a repository |
| `samples/<wire name>.json` | a golden message of every version ever shipped: subject, headers, body |

## The envelope

A fact is a CloudEvents 1.0 message in binary mode: the attributes are NATS headers (`ce-type`, `ce-id`, `ce-subject`,
`ce-source`, `ce-time`), the body is the JSON of the fact alone. `ce-type` decides how it is decoded. Names that are no
subject tokens are encoded; `fastflow subject NAME` prints the token.

## What is said to people

Beside a sentence `X` stands `X_message`, as in `{"code": "waits.pipeline_limit", "args": {"active": 2, "most": 2}}`;
beside a list of sentences a list `X_messages`. Whoever has words of their own looks the code up, and shows the English
sentence where it is not known. Templates are ICU MessageFormat. An argument that is a message is said by itself;
members of a list of texts have a comma between them, messages a semicolon. Arguments are data and never templates. The
code `verbatim` has the words of people, other programs and older releases.

## What is promised

- A wire name keeps its meaning for ever. A change that an older reader could not live with gets a new number, and
  every release reads all older numbers.
- Within a number, fields may be added with a default. None is removed, none becomes required, none takes less than
  before.
- A code keeps its meaning and its arguments for ever; its English words may change.
- Readers step over members and facts they do not know.
- A golden message is written once and never changed; every release decodes all of them.

## The facts

| wire name | subject | appended by | says |
|---|---|---|---|
"""


def readme(facts: dict[str, type[Fact]]) -> str:
    """The page with its table of facts."""
    rows = [
        f"| `{type_}` | `{address(type_, cls)}` | {', '.join(appended_by(type_, cls)) or 'deployer'} |"
        f" {(cls.__doc__ or '').splitlines()[0]} |\n"
        for type_, cls in facts.items()
    ]
    return HEAD + "".join(rows)
