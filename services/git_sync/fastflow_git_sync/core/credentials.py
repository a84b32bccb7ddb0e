"""What Git is told by its environment and by `-c`, so that nothing is stored on disk and nothing is executed; pure."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from fastflow_rules.hosts import is_address
from fastflow_rules.remote import Remote

from fastflow_git_sync.core.access import Access

STALL_S = 60
"""A transfer below 1 kB/s for this long has hung."""
CONNECT_S = 15
TOKEN_USER = "x-access-token"
"""The user name hosts expect beside a token when the address names none."""
ASKPASS = """#!/bin/sh
# Answers Git's question for a user name or a password, for one protocol and host only, whatever stands around them.
case "$1" in
  "Username for '$FASTFLOW_ASKPASS_PROTOCOL://$FASTFLOW_ASKPASS_HOST': ") printf '%s\\n' "$FASTFLOW_ASKPASS_USER" ;;
  "Password for '$FASTFLOW_ASKPASS_PROTOCOL://"*"@$FASTFLOW_ASKPASS_HOST': ")
    user="${1#*//}"
    user="${user%"@$FASTFLOW_ASKPASS_HOST': "}"
    if [ "$user" != "$FASTFLOW_ASKPASS_USER" ]; then
      case "$user" in *[!A-Za-z0-9%._~+-]*) exit 1 ;; esac
    fi
    if [ -n "$FASTFLOW_ASKPASS_FILE" ]; then exec cat -- "$FASTFLOW_ASKPASS_FILE"; fi
    printf '%s\\n' "$FASTFLOW_ASKPASS_TOKEN" ;;
  *) exit 1 ;;
esac
"""
OPTIONS = (
    "core.hooksPath=/dev/null",
    "core.symlinks=false",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "credential.helper=",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "fetch.uriProtocols=",
    "gc.autoDetach=false",
    "http.cookieFile=",
    "http.delegation=none",
    "http.emptyAuth=false",
    "http.proactiveAuth=none",
    "promisor.acceptFromServer=none",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    "transfer.bundleURI=false",
    "http.lowSpeedLimit=1000",
    f"http.lowSpeedTime={STALL_S}",
)
"""No hook, no filter, no helper, no other transport, and no other place that a host may name."""


def options(access: Access, remote: Remote, addresses: Sequence[str] = ()) -> list[str]:
    """Arguments that stand before Git's own command; with addresses it connects to no other."""
    chosen = [*OPTIONS, f"http.followRedirects={'initial' if access.follows else 'false'}"]
    if addresses and remote.protocol in ("http", "https") and not is_address(remote.name):
        chosen.append(f"http.curloptResolve={remote.name}:{remote.port}:{','.join(addresses)}")
    return [word for option in chosen for word in ("-c", option)]


def environment(access: Access, remote: Remote, folder: Path) -> Mapping[str, str]:
    """What Git's processes find in their environment besides our own; `folder` holds `askpass` and `gitconfig`."""
    env = {
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "LANGUAGE": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
        "GIT_ALLOW_PROTOCOL": remote.protocol,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": str(folder / "askpass"),
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_SSH_COMMAND": ssh(access, remote),
        "GIT_SSH_VARIANT": "ssh",
    }
    if (access.token_file or access.token) and remote.protocol in ("http", "https"):
        env["FASTFLOW_ASKPASS_PROTOCOL"] = remote.protocol
        env["FASTFLOW_ASKPASS_HOST"] = remote.host
        env["FASTFLOW_ASKPASS_USER"] = access.user or remote.user or TOKEN_USER
        env["FASTFLOW_ASKPASS_FILE"] = str(access.token_file.absolute()) if access.token_file else ""
        env["FASTFLOW_ASKPASS_TOKEN"] = access.token
    return env


def ssh(access: Access, remote: Remote, addresses: Sequence[str] = ()) -> str:
    """Keys and host keys from files only; an unknown host is refused.

    The keys of this machine's own user, and those of its agent, are for whoever runs this machine.
    """
    words = ["ssh", "-F", "/dev/null", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]
    words += ["-o", f"ConnectTimeout={CONNECT_S}", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3"]
    words += ["-o", "ClearAllForwardings=yes", "-o", "PermitLocalCommand=no"]
    if access.known_hosts_file:
        hosts = access.known_hosts_file.absolute()
        words += ["-o", f'UserKnownHostsFile="{hosts}"', "-o", "GlobalKnownHostsFile=/dev/null"]
    if access.ssh_key_file:
        words += ["-i", str(access.ssh_key_file.absolute()), "-o", "IdentitiesOnly=yes"]
    elif not access.trusted:
        words += ["-o", "IdentityFile=none", "-o", "IdentitiesOnly=yes"]
    if not access.trusted:
        words += ["-o", "IdentityAgent=none"]
    if addresses and remote.protocol == "ssh":
        known_as = remote.name if remote.port == 22 else f"[{remote.name}]:{remote.port}"
        words += ["-o", f"HostName={addresses[0]}", "-o", f"HostKeyAlias={known_as}"]
    return shlex.join(words)
