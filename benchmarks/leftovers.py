"""What an installation leaves on the engine on purpose, and a benchmark should not."""

import subprocess
from pathlib import Path

from fastflow_cli.home import Home
from fastflow_cli.local.engine import Engine, client
from fastflow_runner.container_spec import Deployment
from fastflow_runner.lock import key_of
from fastflow_runner.orders import code_name


def remove_stages(engine: Engine, home: Home, code: Path) -> None:
    """Remove the containers that remember which code is staged; their names are secrets of this home alone."""
    key = key_of(home.path / "runner")
    trees = subprocess.run(["git", "ls-tree", "-d", "HEAD"], cwd=code, check=True, capture_output=True, text=True)
    with client(engine.address) as http:
        for line in trees.stdout.splitlines():
            tree = line.split()[2]
            name = code_name(key, f"{tree} {Deployment().volume}")[:32]
            http.delete(f"/containers/fastflow-stage-{name}", params={"v": "1"})
