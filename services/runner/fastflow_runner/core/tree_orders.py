"""What the entry program hears of trees of code and of packages: to unpack, to look through, to take out of use."""

import hmac
from collections.abc import Iterator, Sequence
from hashlib import sha256
from io import BytesIO

import zstandard
from fastflow_events.errors import ContractError
from msgspec import json

from fastflow_runner.entry.sealed import head_of, seal

MAX_CODE_BYTES = 1 << 30
"""Largest unpacked code folder."""
_PIECE_BYTES = 1 << 20


def code_name(key: bytes, tree: str) -> str:
    """Name of the tree's folder, which only holders of `key` can work out; 40 hex digits."""
    return hmac.new(key, tree.encode(), sha256).hexdigest()[:40]


def seal_key(key: bytes) -> str:
    """What trees are sealed with; only those hear of it who write them or look them through."""
    return hmac.new(key, b"trees", sha256).hexdigest()


class StageOrder:
    """Order of mode `stage`, piece by piece and as often as wanted: what a bundle unpacks to is never in memory."""

    def __init__(self, head: bytes, bundle: bytes) -> None:
        self._head = head
        self._bundle = bundle

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        yield from _unpacked(self._bundle)


def stage_order(target: str, bundle: bytes, key: str) -> StageOrder:
    """Order of mode `stage`; what it unpacks is sealed with the key.

    Raises:
        ContractError: the bundle is no archive of ours, or unpacks to more than `MAX_CODE_BYTES`.
    """
    digest, length = sha256(), 0
    try:
        for piece in _unpacked(bundle):
            digest.update(piece)
            length += len(piece)
            if length > MAX_CODE_BYTES:
                raise ContractError("the code bundle is too large", limit_bytes=MAX_CODE_BYTES)
    except zstandard.ZstdError as error:
        raise ContractError(f"the code bundle cannot be unpacked: {error}") from error
    return StageOrder(seal(json.encode({"target": target, "key": key})) + head_of(length, digest.digest()), bundle)


def _unpacked(bundle: bytes) -> Iterator[bytes]:
    with zstandard.ZstdDecompressor().stream_reader(BytesIO(bundle)) as reader:
        while piece := reader.read(_PIECE_BYTES):
            yield piece


def unstage_order(folders: Sequence[str]) -> bytes:
    """Order of mode `stage` that deletes code instead."""
    return seal(json.encode({"delete": tuple(folders)}))


def set_aside_order(trees: Sequence[str], *, root: str) -> bytes:
    """Order of mode `prepare` that takes trees out of use instead."""
    return seal(json.encode({"root": root, "set_aside": tuple(trees)}))


def verify_order(*, uv: str, code: str, key: str, only: str = "") -> bytes:
    """Order of mode `verify`; `uv` and `code` are where environments and code lie, `only` how a name begins."""
    trees = (f"{uv}/envs", f"{uv}/python", code)
    return seal(json.encode({"trees": trees, "wheels": (f"{uv}/wheels",), "key": key, "only": only}))
