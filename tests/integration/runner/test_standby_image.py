"""A worker image that was upgraded or removed empties the pool of standby workers."""

import os
from pathlib import Path

import pytest
from docker import DockerClient
from fastflow_events.testing.eventually import eventually
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.ports import ImageMissingError
from fastflow_runner.testing.builders import INSTALLATION, a_launch
from fastflow_runner.testing.socket_proxy import socket_proxy
from fastflow_runner.testing.standby import (
    DEPLOYMENT,
    OWNER,  # noqa: F401 - whose containers go with this module
    a_run,
    image_of,
    kept,
    seen,
    standby,
)

pytestmark = pytest.mark.docker


async def test_an_upgraded_image_empties_the_pool(engine: str, tmp_path: Path, person: DockerClient) -> None:
    name = f"fastflow-upgraded-{os.getpid()}:latest"
    image = person.images.get("fastflow-worker:latest")
    image.tag(name)
    deployment = Deployment(installation=INSTALLATION, image=name, network="bridge", volume=DEPLOYMENT.volume)
    newer = f"FROM fastflow-worker:latest\nLABEL upgraded={os.getpid()}\n"
    (tmp_path / "Dockerfile").write_text(newer)
    try:
        with socket_proxy(tmp_path, engine=engine, deployment=deployment) as url:
            async with kept(url, deployment=deployment) as executor:
                launch, old = await a_run(executor), standby(person)
                upgraded, _ = person.images.build(path=str(tmp_path), tag=name, rm=True)
                assert upgraded.id != image.id
                began = await executor.launch(launch)
                assert began.manifest.image == upgraded.id
                assert image_of(person.containers.get(DEPLOYMENT.names.of(launch.ref))) == upgraded.id
                await executor.remove(launch.ref)

                async def renewed() -> bool:
                    workers = [image_of(worker) for worker in seen(person, "standby")]
                    return bool(workers) and set(workers) == {upgraded.id}

                await eventually(renewed, within_s=30)
                assert old.id not in [
                    container.id for container in person.containers.list(all=True, ignore_removed=True)
                ]
                person.images.remove(name, force=True)
                await eventually(lambda: executor.waiting == 0, within_s=30)
                with pytest.raises(ImageMissingError):
                    await executor.launch(a_launch(launch.specification, launch.prepared))
    finally:
        for found in person.images.list(filters={"label": f"upgraded={os.getpid()}"}):
            person.images.remove(str(found.id), force=True)
        if person.images.list(name=name):
            person.images.remove(name)
