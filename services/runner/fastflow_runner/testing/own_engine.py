"""A Docker engine of a test's own, which may be stopped, killed and filled: nobody else uses it.

It keeps everything on a disk in memory of a fixed size, has no networks but `none`, and needs root.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from docker import DockerClient
from docker.errors import APIError, DockerException
from docker.models.containers import Container as Seen
from fastflow_events.testing.left_behind import left_behind

NETWORK = "none"
"""The only network it has that runs may join."""
_WITHIN_S = 60.0
_PREFIX = "ff-engine-"


class OwnEngine:
    """One engine; keeps its images and containers over restarts."""

    def __init__(self, folder: Path, binary: str) -> None:
        """`folder` is short, because the path of a socket may not be long; `folder/data` is its disk."""
        self.data = folder / "data"
        self.socket = str(folder / "docker.sock")
        self._folder = folder
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, live_restore: bool = False) -> None:
        """Have it answer; with `live_restore` its containers live on without it."""
        folder = self._folder
        # In a network namespace of its own: an engine without a bridge removes docker0, which may be somebody else's.
        command = ["unshare", "--net", self._binary, f"--host=unix://{self.socket}", f"--data-root={self.data}"]
        command += [f"--exec-root={folder}/exec", f"--pidfile={folder}/docker.pid", "--bridge=none", "--iptables=false"]
        command += ["--ip-forward=false", "--ip-masq=false", "--storage-driver=overlay2"]
        command += ["--containerd-namespace=tests", "--containerd-plugins-namespace=tests-plugins"]
        command += ["--live-restore"] if live_restore else []
        # Not in the session of the tests: a Ctrl-C is not meant for it.
        with (folder / "engine.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        give_up = time.monotonic() + _WITHIN_S
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError((folder / "engine.log").read_text()[-3000:])
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Signal it, and wait until it has ended; nothing when it does not run."""
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.wait(_WITHIN_S)
        self._process = None
        if number == signal.SIGKILL:
            # Its helper ends with it, but not at once, and the next engine would wait for that one in vain.
            self._retire_helper()

    def answers(self) -> bool:
        """True when it does."""
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(self.socket):
                return False
        try:
            with self.client() as client:
                return bool(client.ping())
        except (DockerException, OSError):
            return False

    @contextmanager
    def client(self) -> Iterator[DockerClient]:
        """A person's access to it, past every proxy."""
        client = DockerClient(base_url=f"unix://{self.socket}", version="1.41")
        try:
            yield client
        finally:
            client.close()

    def containers(self, prefix: str) -> list[Seen]:
        """Those whose names begin so, whatever their state."""
        with self.client() as client:
            found: list[Seen] = client.containers.list(all=True, ignore_removed=True)
            return [container for container in found if (container.name or "").startswith(prefix)]

    def fill(self) -> Path:
        """Leave no room on its disk; removing the file that is returned makes room again."""
        hog = self.data / "hog"
        with hog.open("wb") as file, suppress(OSError):
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        return hog

    def clear(self) -> None:
        """Remove every container."""
        with self.client() as client:
            for container in client.containers.list(all=True, ignore_removed=True):
                with suppress(APIError):
                    container.remove(force=True, v=True)

    def shim_of(self, container: str) -> int:
        """Process that keeps the container of this id for the engine."""
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
                if words and b"containerd-shim" in words[0] and container.encode() in words:
                    return int(entry.name)
        raise LookupError(f"nobody keeps {container}")

    def _retire_helper(self) -> None:
        file = self._folder / "exec" / "containerd" / "containerd.pid"
        with suppress(OSError, ValueError):
            pid = int(file.read_text())
            give_up = time.monotonic() + _WITHIN_S
            while str(self._folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                assert time.monotonic() < give_up, "the helper of a killed engine goes on"
                time.sleep(0.05)
        file.unlink(missing_ok=True)


@contextmanager
def own_engine(*, image: str, taken_from: str, size_mb: int = 1024) -> Iterator[OwnEngine]:
    """A running engine that has the image, taken from the engine with the socket `taken_from`; gone after the block.

    Raises:
        FileNotFoundError: this machine cannot have one.
    """
    binary = shutil.which("dockerd") or shutil.which("dockerd", path="/usr/sbin:/usr/local/sbin")
    if binary is None or os.geteuid() != 0:
        raise FileNotFoundError(
            "an engine of the test's own needs root and dockerd; type: scripts/apt-install docker.io"
        )
    for left in left_behind(_PREFIX):
        _destroy(left)
    # Named after this process, so that a later one knows what a killed one has left.
    folder = Path(tempfile.gettempdir()) / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    engine = OwnEngine(folder, binary)
    engine.data.mkdir(parents=True, mode=0o711)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=711", "tmpfs", engine.data], check=True)
    try:
        engine.start()
        source = DockerClient(base_url=f"unix://{taken_from}", timeout=300)
        try:
            with engine.client() as client:
                client.images.load(source.images.get(image).save(named=image))  # type: ignore[arg-type]
        finally:
            source.close()
        yield engine
    finally:
        with suppress(RuntimeError, OSError, DockerException):
            engine.stop()
            engine.start()
            engine.clear()
            engine.stop()
        _destroy(folder)


def _destroy(folder: Path) -> None:
    """End every process of the engine in this folder, those inside its containers too, and give its disk back."""
    for _ in range(100):
        pids = _processes_of(folder)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not pids:
            break
        time.sleep(0.05)
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    # Inner ones, such as its containers' namespaces, first.
    for place in [place for place in reversed(mounted) if place.startswith(f"{folder}/")]:
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


def _processes_of(folder: Path) -> set[int]:
    """Those that were started with a path in the folder, and what those have started."""
    words, parents = {}, {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError, IndexError):
            words[pid := int(entry.name)] = (entry / "cmdline").read_bytes()
            parents[pid] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = {pid for pid, command in words.items() if f"{folder}/".encode() in command} - {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found
