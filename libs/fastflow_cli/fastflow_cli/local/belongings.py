"""What an installation has on its engine, by the label and the names that say whose it is."""

import json

import httpx

from fastflow_cli.errors import MissingError
from fastflow_cli.local.engine import Engine, client

REMOVED_WITHIN_S = 60.0


def remove_belongings(engine: Engine, installation: str) -> None:
    """Remove every container and every volume of an installation that does not run any more; safe to repeat.

    Raises:
        MissingError: the engine refused.
    """
    prefix = f"fastflow-{installation}-"
    with client(engine.address) as http:
        http.timeout = httpx.Timeout(REMOVED_WITHIN_S)
        ours = json.dumps({"label": [f"fastflow.installation={installation}"]})
        for container in _told(http.get("/containers/json", params={"all": "1", "filters": ours})):
            http.delete(f"/containers/{container['Id']}", params={"force": "1", "v": "1"})
        named = json.dumps({"name": [prefix]})
        for volume in _told(http.get("/volumes", params={"filters": named}), "Volumes"):
            if volume["Name"].startswith(prefix):  # the engine looks for the text anywhere in a name
                http.delete(f"/volumes/{volume['Name']}")


def _told(answer: httpx.Response, key: str = "") -> list[dict[str, str]]:
    if answer.is_error:
        raise MissingError(f"the engine does not say what is on it: {answer.text.strip()}")
    found = answer.json()
    return list((found[key] if key else found) or ())
