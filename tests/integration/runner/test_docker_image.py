import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from docker import DockerClient
from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.core.container_spec import RUN_UID, Deployment
from fastflow_runner.ports import ImageMissingError
from fastflow_runner.testing.builders import INSTALLATION, bundle_of
from fastflow_runner.testing.socket_proxy import socket_proxy
from fastflow_runner.testing.standby import a_run

pytestmark = pytest.mark.docker
OWNER = f"image-{os.getpid()}"
DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-{OWNER}")


@pytest.fixture
async def executor(proxy: str) -> AsyncIterator[DockerExecutor]:
    executor = DockerExecutor(proxy, deployment=DEPLOYMENT, owner=OWNER, key=b"key", grace_s=1.0)
    yield executor
    executor.close()


async def test_a_missing_image_is_told_at_once(engine: str, tmp_path: Path, executor: DockerExecutor) -> None:
    launch = await a_run(executor)
    absent = Deployment(
        installation=INSTALLATION, image="fastflow-absent:latest", network="bridge", volume=DEPLOYMENT.volume
    )
    with socket_proxy(tmp_path, engine=engine, deployment=absent) as url:
        lost = DockerExecutor(url, deployment=absent, owner=OWNER, key=b"key")
        with pytest.raises(ImageMissingError, match="fastflow-absent"):
            await lost.prepare(launch.specification, None)
        with pytest.raises(ImageMissingError, match="fastflow-absent"):
            await lost.launch(launch)
        lost.close()


async def test_an_image_that_is_made_for_another_user_is_told_before_anything_is_made(
    engine: str, tmp_path: Path, executor: DockerExecutor, person: DockerClient
) -> None:
    launch = await a_run(executor)
    other = Deployment(installation=secrets.token_hex(4), network="bridge", uid=RUN_UID + 7)
    with socket_proxy(tmp_path, engine=engine, deployment=other) as url:
        lost = DockerExecutor(url, deployment=other, owner=OWNER, key=b"key")
        found = f"is made for uid {RUN_UID}, and FASTFLOW_RUN_UID is {RUN_UID + 7}"
        with pytest.raises(ImageMissingError, match=found):
            await lost.stage_code(*bundle_of({"main.py": "print('x')"}))
        with pytest.raises(ImageMissingError, match=found):
            await lost.prepare(launch.specification, None)
        with pytest.raises(ImageMissingError, match=found):
            await lost.launch(launch)
        lost.close()
    assert person.volumes.list(filters={"name": other.volume}) == []
