import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from docker import DockerClient
from docker.errors import APIError
from docker.models.containers import Container
from docker.types import Mount
from fastflow_events.testing.eventually import eventually
from fastflow_runner.adapters.docker.executor import DockerExecutor
from fastflow_runner.core.container_spec import Deployment
from fastflow_runner.core.tree_orders import code_name
from fastflow_runner.testing.bridge import bridge_address
from fastflow_runner.testing.builders import INSTALLATION, a_specification
from fastflow_runner.testing.credential_contract import output_of
from fastflow_runner.testing.environment_contract import IMPORT, EnvironmentContract
from fastflow_runner.testing.hostile_packages import marking_sources
from fastflow_runner.testing.interpreters import archive, copy_into
from fastflow_runner.testing.patient import patiently
from fastflow_runner.testing.private_index import PASSWORD
from fastflow_runner.testing.socket_proxy import forget_tools
from msgspec import structs

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker-environments")]
OWNER = f"test-env-{os.getpid()}"
OTHER = f"test-env2-{os.getpid()}"
KEY = OWNER.encode()
DEPLOYMENT = Deployment(installation=INSTALLATION, network="bridge", volume=f"fastflow-uv-env-{os.getpid()}")


@pytest.fixture
async def other(proxy: str) -> AsyncIterator[DockerExecutor]:
    executor = DockerExecutor(proxy, deployment=DEPLOYMENT, owner=OTHER, key=b"another key", grace_s=1.0)
    yield executor
    executor.close()


@pytest.fixture
async def executor(proxy: str, person: DockerClient) -> AsyncIterator[DockerExecutor]:
    opened = bridge_address(person)
    executor = DockerExecutor(proxy, deployment=DEPLOYMENT, owner=OWNER, key=KEY, grace_s=1.0, packages_opened=opened)
    yield executor
    executor.close()


@pytest.fixture(scope="module", autouse=True)
def _others(engine: str) -> Iterator[None]:
    yield
    forget_tools(engine, OTHER, f"{DEPLOYMENT.names.prefix}jit-{code_name(KEY, 'jit tried')[:32]}")


class TestDockerEnvironments(EnvironmentContract):
    @pytest.fixture(autouse=True)
    def _engine(self, person: DockerClient, proxy: str) -> Iterator[None]:
        self.engine, self.proxy = person, proxy
        self.opened: list[DockerExecutor] = []
        yield
        for executor in self.opened:
            executor.close()

    def index_host(self) -> str:
        return bridge_address(self.engine)

    def with_settings(self, uv_settings: dict[str, str]) -> DockerExecutor:
        executor = DockerExecutor(
            self.proxy,
            deployment=DEPLOYMENT,
            owner=OWNER,
            key=KEY,
            uv_settings=uv_settings,
            grace_s=1.0,
            packages_opened=self.index_host(),
        )
        self.opened.append(executor)
        return executor

    async def traces(self) -> bytes:
        containers = self.engine.containers.list(
            all=True, filters={"label": f"fastflow.tool={OWNER}"}, ignore_removed=True
        )
        found = [json.dumps(container.attrs).encode() + container.logs() for container in containers]
        assert self.in_volume(f"grep -rl {PASSWORD} /uv || echo nowhere") == "nowhere\n"
        return b"".join(found)

    def in_volume(self, script: str) -> str:
        found: bytes = self.engine.containers.run(
            DEPLOYMENT.image,
            ["-c", script],
            entrypoint="sh",
            mounts=[Mount("/uv", DEPLOYMENT.volume, read_only=True)],
            user=0,  # who may read all of it
            remove=True,
        )
        return found.decode()

    def shared(self) -> str:
        return "/uv"

    def codes(self) -> str:
        return "/uv/code"

    async def as_root(self, script: str) -> str:
        return await asyncio.to_thread(self.writing, f"import os, pathlib\n{script}", 0)

    def writing(self, script: str, user: int) -> str:
        """What a Python script says that has the volume writable, as that user."""
        said: bytes = self.engine.containers.run(
            DEPLOYMENT.image,
            ["-c", script],
            entrypoint="python3",
            mounts=[Mount("/uv", DEPLOYMENT.volume)],
            user=user,
            remove=True,
        )
        return said.decode()

    async def marks(self) -> list[str]:
        return self.in_volume("ls /uv | grep executed || true").split()

    async def bring(self, source: Path, folder: Path) -> None:
        copy_into(source, folder / "python", KEY)
        mounts = [Mount("/uv", DEPLOYMENT.volume)]
        carrier = self.engine.containers.create(DEPLOYMENT.image, mounts=mounts, labels={"fastflow.tool": OWNER})
        carrier.put_archive("/uv", archive(folder))
        carrier.remove()

    async def kill_in_the_middle(self) -> None:
        filters: dict[str, str | list[str] | bool] = {"label": f"fastflow.tool={OWNER}", "status": "running"}

        async def building() -> list[Container]:
            return [
                found
                for found in self.engine.containers.list(filters=filters, ignore_removed=True)
                if _has_begun(found)
            ]

        for container in await eventually(building, within_s=100):
            container.kill("SIGKILL")

    async def test_old_containers_go_and_what_they_made_is_found_without_them(
        self, executor: DockerExecutor, other: DockerExecutor
    ) -> None:
        def names(owner: str) -> set[str]:
            found = self.engine.containers.list(
                all=True, filters={"label": f"fastflow.tool={owner}"}, ignore_removed=True
            )
            return {str(container.name) for container in found}

        words = [await self.staged(other, {"main.py": f"print({word!r})\n"}) for word in ("one", "two")]
        specification = a_specification(words[0], requirements="six==1.17.0\nidna==3.10\ncertifi\n")
        prepared = await patiently(other, specification)
        before, others = names(OTHER), names(OWNER)
        assert await other.tidy(kept_s=3600) == 0
        assert await other.tidy(kept_s=-3600) >= 1
        left = names(OTHER)
        assert len([name for name in left if name.startswith(f"{DEPLOYMENT.names.prefix}stage-")]) == 1
        assert {name for name in before if name.startswith(f"{DEPLOYMENT.names.prefix}prepare-")} <= left
        await self.staged(other, {"main.py": "print('one')\n"})
        assert await output_of(other, specification, prepared.lock) == "one\n"
        held = names(OTHER)
        await other.delete([prepared.environment])
        assert len(held) > len(names(OTHER))
        assert others <= names(OWNER)

    async def test_what_is_built_is_executed_where_nothing_of_ours_is(self, executor: DockerExecutor) -> None:
        sources = marking_sources(self.shared())
        tree = await self.staged(executor, {"main.py": "import built\nprint('built')\n", **sources})
        specification = a_specification(tree, requirements="./built\n")
        wanted = structs.replace(specification.requirements, sha256=sha256(tree.encode()).hexdigest())
        assert await output_of(executor, structs.replace(specification, requirements=wanted)) == "built\n"
        assert await self.marks() == []

    async def test_neither_runs_nor_builds_could_write_to_the_volume_where_they_may(
        self, executor: DockerExecutor
    ) -> None:
        await self.ready(executor, "writable")
        script = (
            "import os\n"
            "tree = [(where, *(f'{where}/{name}' for name in files)) for where, _, files in os.walk('/uv')]\n"
            "paths = [path for paths in tree for path in paths]\n"
            "print(len(paths), *[path for path in paths if os.access(path, os.W_OK) and not os.path.islink(path)])\n"
            "for where in ('envs', 'code', 'wheels', 'cache', 'python', ''):\n"
            "    try:\n        open(f'/uv/{where}/mine', 'w')\n"
            "    except OSError as error:\n        assert error.errno in (2, 13), error\n"
            "    else:\n        print(where, 'WRITTEN')\n"
            "os.listdir('/uv/envs')\n"
            "try:\n    print(os.listdir('/uv/code'))\n"
            "except PermissionError:\n    print('code is hidden')\n"
        )
        for user in (DEPLOYMENT.uid, 12345):
            looked_at, *said = (await asyncio.to_thread(self.writing, script, user)).split()
            assert int(looked_at) > 100
            assert said == ["code", "is", "hidden"]

    async def test_a_pipeline_cannot_change_what_another_imports(self, executor: DockerExecutor) -> None:
        vandal = (
            "import idna, os, pathlib, sys\n"
            "package = pathlib.Path(idna.__file__)\n"
            "tries = [lambda: package.write_text('raise SystemExit(1)'), lambda: package.unlink(),\n"
            "         lambda: (package.parent / 'more.py').write_text(''), lambda: os.chmod(package.parent, 0o777),\n"
            "         lambda: os.rename(package.parent, '/uv/envs/away'), lambda: os.mkdir('/uv/mine'),\n"
            "         lambda: os.symlink('/tmp', '/uv/envs/link'), lambda: os.truncate(sys.executable, 0)]\n"
            "for number, attempt in enumerate(tries):\n"
            "    try:\n        attempt()\n"
            "    except OSError as error:\n        print(number, error.strerror)\n"
            "    else:\n        print(number, 'CHANGED')\n"
        )
        requirements = "idna==3.10\n"
        tree = await self.staged(executor, {"main.py": vandal})
        found = await output_of(executor, a_specification(tree, requirements=requirements))
        # The last one is the image's own interpreter, behind a link.
        whys = [*["Read-only file system"] * 7, "Permission denied"]
        assert found.splitlines() == [f"{number} {why}" for number, why in enumerate(whys)]
        tree = await self.staged(executor, {"main.py": IMPORT})
        assert await output_of(executor, a_specification(tree, requirements=requirements)) == "3.10\n"


def _has_begun(container: Container) -> bool:
    try:
        return bool(container.exec_run(["sh", "-c", "ls -d /uv/envs/*.*/lib/*/site-packages/numpy"]).exit_code == 0)
    except APIError:
        return False
