"""The contract over HTTP: `python -m fastflow_gateway.openapi` prints it as JSON; it connects to nothing."""

import json
import sys
from typing import Any

from fastflow_gateway.app import build
from fastflow_gateway.http.contract.document import contract_of
from fastflow_gateway.settings import GatewaySettings


def document() -> dict[str, Any]:
    """OpenAPI 3.1, the same for the same application."""
    return contract_of(build(GatewaySettings()))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(document(), indent=2, ensure_ascii=False) + "\n")
