"""The socket proxy's policy: an HAProxy configuration that lets through what `container_spec` can write, and no more.

Denied unless allowed. A path is compared raw and whole, with its query; a request with a body is one string, path and
body, against one regular expression for each form. Only strings that mean the same to every JSON parser match, so
nothing hinges on how the engine reads them.
"""

import re
import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator

from fastflow_runner.core.container_spec import (
    IMAGE,
    NAME,
    VERSIONS,
    Call,
    Deployment,
    Form,
    calls,
    create_forms,
    update_form,
)
from fastflow_runner.core.names import INSTALLATION
from fastflow_runner.core.template import escape, pattern

_BIND = ":2375"
_SOCKET = "/var/run/docker.sock"
_HEAD = """\
# Made by `python -m fastflow_runner.core.policy` from what the runner of installation {installation} may say.
# Version {version} of the engine's API; deny by default; works on HAProxy 2.6 and later.
global
    log stdout format raw daemon info
    maxconn 2000
    tune.bufsize 16384

defaults
    mode http
    log global
    option httplog
    option dontlog-normal
    # Without it a stream's first bytes wait for more to send with them.
    option http-no-delay
    # A request is looked at as a whole, and has five seconds to arrive.
    option http-buffer-request
    timeout http-request 5s
    timeout http-keep-alive 10m
    timeout connect 5s
    timeout queue 5s
    # A script may be silent for an hour; the runner takes a cut for a question to ask again, never for an end.
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h

frontend runner
    bind {bind} proto h1
    # What the engine might read otherwise than this proxy does is refused, before anything else is looked at.
    http-request deny status 400 if {{ req.hdr_cnt(transfer-encoding) gt 0 }}
    http-request deny status 400 if {{ req.hdr_cnt(expect) gt 0 }}
    http-request deny status 400 if {{ req.hdr_cnt(content-length) gt 1 }}
    http-request deny status 400 if {{ req.hdr_cnt(host) gt 1 }}
    http-request deny status 400 unless {{ req.ver 1.1 }}
    http-request set-var(txn.body_bytes) req.body_len
    http-request set-var(txn.body) req.body
    http-request set-var(txn.whole) url,concat(|,txn.body)
    acl upgrade req.hdr_cnt(upgrade) gt 0
    acl upgrade_to_tcp req.hdr(upgrade) -m str tcp
    acl no_body req.body_len eq 0
    acl no_length req.hdr_cnt(content-length) eq 0
    acl zero_length req.hdr(content-length) -m str 0
    acl whole_body req.hdr_val(content-length),sub(txn.body_bytes) eq 0
    # Strings end at a NUL here, and need not in the engine.
    http-request set-var(txn.whole_bytes) url,length,add(1),add(txn.body_bytes)
    acl no_nul var(txn.whole),length,sub(txn.whole_bytes) eq 0
    acl is_json req.hdr(content-type) -m str application/json
"""

_TAIL = """\
    http-request deny status 403
    default_backend engine

backend engine
    server engine unix@{socket}
"""


def render(
    version: str,
    *,
    deployment: Deployment,
    bind: str = _BIND,
    socket: str = _SOCKET,
) -> str:
    """The configuration for one version of the engine's API.

    `bind` is where HAProxy listens, in its own words (`127.0.0.1:2375`, `unix@/run/x.sock mode 660`), `socket` the
    path of the engine's socket.
    """
    lines = [_HEAD.format(version=version, installation=deployment.installation, bind=bind)]
    for name, call in calls(deployment).items():
        lines.extend(f"    {line}\n" for line in _rules(f"/v{version}", name, call, deployment))
    return "".join([*lines, _TAIL.format(socket=socket)])


def patterns(version: str, deployment: Deployment) -> Iterator[tuple[str, str]]:
    """Form, and the expression without anchors for `path|body`, of every request that has a body."""
    for name in calls(deployment):
        yield from _forms(f"/v{version}", name, deployment)


def _forms(prefix: str, name: str, deployment: Deployment) -> Iterator[tuple[str, str]]:
    if name == "create":
        for kind, form in create_forms(deployment).items():
            yield f"create_{kind}", _whole(f"{prefix}/containers/create?name=", form, "")
    elif name == "update":
        yield "update", _whole(f"{prefix}/containers/", update_form(deployment), "/update")


def _whole(before: str, form: Form, behind: str) -> str:
    return pattern((before, *form.name, f"{behind}|", *form.body))


def _rules(prefix: str, name: str, call: Call, deployment: Deployment) -> Iterator[str]:
    if call.body:
        for form, expression in _forms(prefix, name, deployment):
            yield rf"acl {form} var(txn.whole) -m reg '\A{expression}\z'"
            yield f"http-request allow if {{ method {call.method} }} {form} whole_body no_nul is_json !upgrade"
        return
    yield rf"acl {name} url -m reg '\A{escape(prefix)}{pattern(call.path)}\z'"
    upgrade = "upgrade_to_tcp" if call.upgrade else "!upgrade"
    for length in ("no_length", "zero_length"):
        yield f"http-request allow if {{ method {call.method} }} {name} no_body {length} {upgrade}"


def speaks(engine: str) -> str:
    """The newest version we and an engine of version `engine` both speak; the oldest of ours when there is none."""

    def number(version: str) -> tuple[int, ...]:
        return tuple(int(part) for part in version.split("."))

    return next((version for version in VERSIONS if number(version) <= number(engine)), VERSIONS[-1])


def _named(expression: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not re.fullmatch(expression, text):
            raise ArgumentTypeError(f"{text!r} is not a name that the policy can hold")
        return text

    return read


def main() -> None:
    """Print a configuration."""
    default = Deployment(installation="0" * 8)
    parser = ArgumentParser(
        prog="fastflow_runner.core.policy", description="Write the socket proxy's policy for HAProxy."
    )
    parser.add_argument("--installation", required=True, type=_named(INSTALLATION), help="id of the installation")
    parser.add_argument("--bind", default=_BIND, help="where HAProxy listens, in its own words")
    parser.add_argument("--socket", default=_SOCKET, help="path of the engine's socket")
    parser.add_argument("--api", default=VERSIONS[0], type=speaks, help="version of the API that the engine speaks")
    parser.add_argument("--image", type=_named(IMAGE), default=default.image)
    parser.add_argument("--network", type=_named(NAME), default=default.network)
    parser.add_argument("--volume", type=_named(NAME), help="the installation's own unless said")
    parser.add_argument("--uid", type=int, default=default.uid, help="user and group of every container")
    parser.add_argument("--owner", default=default.owner, help="name of the only runner behind the proxy")
    given = parser.parse_args()
    deployment = Deployment(
        installation=given.installation,
        image=given.image,
        network=given.network,
        volume=given.volume or "",
        owner=given.owner,
        uid=given.uid,
    )
    sys.stdout.write(render(given.api, deployment=deployment, bind=given.bind, socket=given.socket))


if __name__ == "__main__":
    main()
