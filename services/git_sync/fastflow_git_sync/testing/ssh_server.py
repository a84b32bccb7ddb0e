"""A Git host over SSH: Debian's `sshd` on a high port of loopback with its own configuration and keys."""

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

START_WITHIN_S = 60.0


class SshHost(Struct, frozen=True, kw_only=True):
    """A running host."""

    url: str
    """Append the absolute path of a repository."""
    key_file: Path
    """A private key the host accepts."""
    stranger_key_file: Path
    """A private key the host does not know."""
    known_hosts_file: Path


def find_sshd() -> Path | None:
    """The server's program, or None where it is not installed."""
    found = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin:/usr/bin")
    return Path(found) if found else None


@contextmanager
def ssh_host(folder: Path, sshd: Path) -> Iterator[SshHost]:
    """Serve every repository the current user may read, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("host", "client", "stranger"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True, capture_output=True)
    (folder / "authorized_keys").write_text((folder / "client.pub").read_text())
    Path("/run/sshd").mkdir(exist_ok=True)  # where sshd lowers its rights
    port = _free_port()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'host.pub').read_text()}")
    config = folder / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {folder / 'host'}\nAuthorizedKeysFile {folder / 'authorized_keys'}\n"
        f"PidFile {folder / 'sshd.pid'}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
    )
    log = folder / "sshd.log"
    process = subprocess.Popen([sshd, "-D", "-f", config, "-E", log], stdin=subprocess.DEVNULL)
    try:
        _await_banner(port, log)
        yield SshHost(
            url=f"ssh://{getpass.getuser()}@127.0.0.1:{port}",
            key_file=folder / "client",
            stranger_key_file=folder / "stranger",
            known_hosts_file=folder / "known_hosts",
        )
    finally:
        process.terminate()
        process.wait(10)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _await_banner(port: int, log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"sshd did not start: {log.read_text() if log.exists() else ''}")
