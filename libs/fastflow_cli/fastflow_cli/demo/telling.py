"""What the demo prints: numbered steps, their details indented."""

from collections.abc import Mapping
from typing import Any

import msgspec

from fastflow_cli.console import show


class Story:
    """Steps are numbered as they are told."""

    def __init__(self) -> None:
        self._step = 0

    def step(self, title: str) -> None:
        """The next step."""
        self._step += 1
        show(f"{self._step}. {title}", style="bold")

    def tell(self, text: str) -> None:
        """A detail of the step in hand."""
        show(f"   {text}")


def curl_line(url: str, path: str, body: Mapping[str, Any]) -> str:
    """The request as somebody would type it."""
    text = msgspec.json.encode(body).decode().replace("'", r"'\''")
    return f"curl -X POST {url}{path} -H 'Content-Type: application/json' -d '{text}'"


def passed(run_id: str, executor: str, seq: int, seconds: float) -> str:
    """The last line of a demo that went well."""
    return (
        f"demo passed: run {run_id} succeeded on the {executor} executor, "
        f"read model identical at seq {seq}, {seconds:.1f} s"
    )
