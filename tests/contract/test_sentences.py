"""Every text of ours that reaches a person has its code beside it, wherever it is filled."""

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(
    module
    for package in ROOT.glob("*/*/fastflow_*/__init__.py")
    for module in package.parent.rglob("*.py")
    if "testing" not in module.parts and "entry" not in module.parts
)
SENTENCES = {
    "detail",
    "errors",
    "left_out",
    "reason",
    "refused",
    "remarks",
    "result_error",
    "text",
    "untrusted",
    "waiting_for",
    "warnings",
    "why",
}
"""What fields of sentences are called."""
WORDS_OF_OTHERS = {
    "BackfillCancel.why": "a person's",
    "BackfillCancelled.why": "a person's",
    "Pause.why": "a person's",
    "BackfillCancelled.reason": "a person's",
    "BrokenFact.reason": "class and words of an error, for logs and doctor",
    "ForeignFact.why": "never stored: said anew wherever it is read",
    "PipelinePaused.why": "a person's",
    "PipelineStatsReset.why": "a person's",
    "SchedulePaused.why": "a person's",
    "DeadLetterResponse.reason": "words of an error, as the letter has them",
    "FactResponse.data": "the fact itself",
    "LineResponse.text": "of the script",
    "Part.text": "of the script",
    "Requirements.text": "of a file",
    "SettingsPaused.why": "a person's",
    "RunRejected.reason": "a word of a few, which is its own code",
}


@cache
def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_bytes(), filename=str(module))


def companions(field: str) -> tuple[str, str]:
    """What may stand beside a field: one code, or one for each."""
    return f"{field}_message", f"{field}_messages"


def structs() -> Iterator[tuple[str, dict[str, str]]]:
    """Name and annotated fields of every class that has a code beside a sentence."""
    for module in MODULES:
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.ClassDef):
                fields = {
                    each.target.id: ast.unparse(each.annotation)
                    for each in node.body
                    if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
                }
                yield node.name, fields


def coded() -> dict[str, dict[str, str]]:
    """Class to field to the field beside it."""
    return {
        name: pairs
        for name, fields in structs()
        if (pairs := {field: beside for field in fields for beside in companions(field) if beside in fields})
    }


def test_whoever_fills_a_sentence_fills_its_code() -> None:
    pairs = coded()
    assert {"RunRejected", "RunAttemptFinished", "PipelineInvalid", "RunResponse", "Problem", "Line"} <= pairs.keys()
    every = {field: beside for fields in pairs.values() for field, beside in fields.items()}
    missing = []
    for module in MODULES:
        for call in ast.walk(tree_of(module)):
            if not isinstance(call, ast.Call):
                continue
            named = {keyword.arg for keyword in call.keywords}
            called = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            wanted = pairs.get(called, {})
            if called == "replace" and named & set(every.values()):
                wanted = every
            missing += [
                f"{module.relative_to(ROOT)}:{call.lineno}: {called} has {field} without {beside}"
                for field, beside in wanted.items()
                if field in named and beside not in named
            ]
    assert missing == []


def shapes() -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and properties of every object that goes over the wire: facts, and what the gateway answers."""
    for file in sorted((ROOT / "proto/events").glob("*.json")):
        for name, shape in json.loads(file.read_text())["$defs"].items():
            yield name, shape.get("properties", {})
    for name, shape in json.loads((ROOT / "proto/openapi.json").read_text())["components"]["schemas"].items():
        yield name, shape.get("properties", {})


def is_of_sentences(shape: dict[str, Any]) -> bool:
    """Whether a member holds text, or several, that is no word of a few."""
    kinds = [shape, *shape.get("anyOf", ()), *shape.get("oneOf", ())]
    texts = [kind for each in kinds for kind in (each, each.get("items", {}), each.get("additionalProperties", {}))]
    return any(isinstance(kind, dict) and kind.get("type") == "string" and "enum" not in kind for kind in texts)


def test_every_sentence_on_the_wire_has_its_code_beside_it() -> None:
    bare = {
        f"{name}.{member}"
        for name, properties in shapes()
        if not name.endswith(("Body", "Definition"))
        for member, shape in properties.items()
        if member in SENTENCES and is_of_sentences(shape)
        if not set(companions(member)) & properties.keys()
    }
    assert sorted(bare - WORDS_OF_OTHERS.keys()) == []


@pytest.mark.parametrize("word", ["reason", "detail", "why", "waiting_for", "failure", "text"])
def test_no_code_compares_a_sentence(word: str) -> None:
    """With a literal: what a sentence says is asked of its class, or of a field. Codecs say theirs in words only."""
    compared = [
        f"{module.relative_to(ROOT)}:{node.lineno}"
        for module in MODULES
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
        if isinstance(side, ast.Attribute) and side.attr == word
        for other in (node.left, *node.comparators)
        if isinstance(other, ast.Constant) and isinstance(other.value, str) and " " in other.value
        if "UnicodeDecodeError" not in ast.unparse(tree_of(module))
    ]
    assert compared == []
