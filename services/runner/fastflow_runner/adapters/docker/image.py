"""The worker image as it stands on the engine now."""

from fastflow_runner.adapters.docker.container import expect
from fastflow_runner.adapters.docker.engine import Engine
from fastflow_runner.core import marks
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.ports import ImageMissingError

BUILD = "build or pull the worker image"


async def worker_image(engine: Engine, deployment: Deployment) -> marks.Image:
    """What the engine says of it.

    Raises:
        ImageMissingError: it is not on the engine, or its folders belong to another user than the containers have.
    """
    answer = await engine.call("image")
    if answer.status == 404:
        raise ImageMissingError(f"No such image: {deployment.image}; {BUILD}")
    expect(answer, 200)
    image = marks.image_of(answer.body)
    if image.uid != str(deployment.uid):
        made = f"for uid {image.uid}" if image.uid else "for no uid that it tells"
        raise ImageMissingError(f"{deployment.image} is made {made}, and FASTFLOW_RUN_UID is {deployment.uid}; {BUILD}")
    return image
