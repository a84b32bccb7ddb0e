# ruff: noqa: D102 - the names of tests are sentences
"""What packages can do while environments are made of them, on every executor; part of the contract of environments."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from fastflow_runner.ports import Executor
from fastflow_runner.testing.builders import a_specification
from fastflow_runner.testing.credential_contract import CredentialContract, output_of
from fastflow_runner.testing.hostile_packages import SOURCED, indexes_that_build, marking_wheels
from fastflow_runner.testing.patient import patiently
from fastflow_runner.testing.private_index import served


class HostileContract(CredentialContract):
    """Needs a fixture `executor`."""

    async def test_nothing_of_a_package_is_executed_while_environments_are_made(self, executor: Executor) -> None:
        with open_index(self.index_host(), {f"/{name}": data for name, data in self.wheels().items()}) as url:
            named = [f"{name.split('-')[0]} @ {url}/{name}\n" for name in self.wheels()]
            for text in ("".join(named), "".join(named[:2]), "".join(named)):
                prepared = await patiently(executor, a_specification("0" * 40, requirements=text))
                if text == "".join(named):
                    await executor.delete([prepared.environment])
            assert await self.marks() == []

    async def test_a_package_with_files_that_do_not_compile_is_there_all_the_same(self, executor: Executor) -> None:
        wheels = {f"/{name}": data for name, data in self.wheels().items() if name.startswith("broken")}
        with open_index(self.index_host(), wheels) as url:
            (path,) = wheels
            script = "import broken\nprint(broken.__cached__, broken.main.__code__.co_filename)\n"
            tree = await self.staged(executor, {"main.py": script})
            specification = a_specification(tree, requirements=f"broken @ {url}{path}\n")
            printed = await output_of(executor, specification)
        cached, known_as = printed.split()
        assert known_as.endswith("/site-packages/broken.py")
        assert "/__pycache__/" in cached

    async def test_what_one_pipeline_builds_with_is_no_part_of_what_another_gets(self, executor: Executor) -> None:
        tree = await self.staged(executor, {"main.py": f"import {SOURCED}\nprint({SOURCED}.WORD)\n"})
        with open_index(self.index_host(), indexes_that_build(("theirs", "ours"))) as url:
            locks = set()
            for number, word in enumerate(("theirs", "ours")):
                text = f"--index-url {url}/{number}/\n{SOURCED}==1.0\n"
                specification = a_specification(tree, requirements=text)
                assert await output_of(executor, specification) == f"{word}\n"
                locks.add((await executor.prepare(specification, None)).lock)
        assert len(locks) == 1

    def wheels(self) -> dict[str, bytes]:
        """Packages that leave a mark where `marks` looks for it."""
        return marking_wheels(self.shared())

    def shared(self) -> str:
        """Folder with all environments, as whatever makes them sees it."""
        raise NotImplementedError

    async def marks(self) -> list[str]:
        """Marks that were left there."""
        raise NotImplementedError


@contextmanager
def open_index(host: str, files: Mapping[str, bytes]) -> Iterator[str]:
    """Address of a server of these files, by their path, while the block runs."""

    class _Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer with the file."""
            content = files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content or b"")

        do_HEAD = do_GET  # noqa: N815 - the name that the standard library asks for

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    with served(host, _Handler) as address:
        yield address
