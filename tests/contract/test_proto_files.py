"""The generated contract: fresh, valid, readable, and true to its promises."""

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml as pyyaml
from fastflow_cli.proto import asyncapi, files, yaml
from fastflow_cli.proto.samples import sample_of
from fastflow_cli.proto.schemas import schema_of
from fastflow_events import subjects
from fastflow_events.catalogue import facts
from fastflow_events.envelope import Reader, body_of, headers_of, subject_of

PROTO = Path(files.__file__).parents[4] / "proto"
SAMPLES = sorted((PROTO / "samples").glob("*.json"))


def is_kept(old: Any, new: Any) -> bool:
    """True when everything of the old value is in the new one, which may hold more members."""
    match old, new:
        case dict(), dict():
            return all(key in new and is_kept(value, new[key]) for key, value in old.items())
        case list(), list():
            return len(old) == len(new) and all(is_kept(*pair) for pair in zip(old, new, strict=True))
        case _:
            return bool(old == new)


def test_what_is_written_down_is_what_goes_over_the_wire() -> None:
    assert files.stale(PROTO) == []


def test_every_fact_has_a_golden_message() -> None:
    assert {file.stem for file in SAMPLES} >= set(facts())


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_a_golden_message_decodes_for_ever(file: Path) -> None:
    sample = json.loads(file.read_text())
    recorded = Reader().recorded(1, sample["subject"], sample["headers"], msgspec.json.encode(sample["body"]))
    if recorded.wire_type == file.stem:
        assert subject_of(recorded) == sample["subject"]
        assert headers_of(recorded) == sample["headers"]
        again = msgspec.json.decode(body_of(recorded.fact))
        assert is_kept(sample["body"], again)


@pytest.mark.parametrize(("type_", "cls"), facts().items(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_message_fits_its_schema(type_: str, cls: Any) -> None:
    schema = schema_of(type_, cls)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(sample_of(type_, cls)["body"], schema)
    assert schema["$defs"][cls.__name__]["description"]


def test_the_schema_of_pipeline_json_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads((PROTO / "pipeline.schema.json").read_text()))


def test_asyncapi_names_every_fact_and_its_subject() -> None:
    document = pyyaml.safe_load((PROTO / "asyncapi.yaml").read_text())
    assert document["asyncapi"] == "3.0.0"
    for type_, cls in facts().items():
        address = document["channels"][type_]["address"].format(id="x", scope="y")
        assert subjects.parse_event(address).fact == type_.split(".")[1]
        payload = document["components"]["messages"][type_]["payload"]["$ref"]
        assert (PROTO / payload).is_file(), cls


def test_our_yaml_reads_as_what_was_written() -> None:
    document = asyncapi.document(facts())
    assert pyyaml.safe_load(yaml.dump(document)) == document
    odd = {"on": [], "a b": {}, "list": [[1, [2]], {"k": [{"x": None}]}], "text": "é: #'\"\n", "n": -1.5, "0": True}
    assert pyyaml.safe_load(yaml.dump(odd)) == odd


def test_openapi_names_the_ways_in() -> None:
    document = json.loads((PROTO / "openapi.json").read_text())
    assert document["openapi"].startswith("3.1")
    assert {"/api/pipelines/{name}/run", "/api/runs/{run_id}/logs/stream", "/api/read-model"} <= set(document["paths"])


def test_a_golden_message_that_is_there_is_never_written_again(tmp_path: Path) -> None:
    files.write(tmp_path)
    sample = tmp_path / "samples" / "run.finished.v1.json"
    sample.write_text('{"old": "but gold"}')
    assert files.write(tmp_path) == []
    assert sample.read_text() == '{"old": "but gold"}'
    assert files.undecodable(tmp_path) != []


def test_promises_are_held_against_what_is_committed(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        author = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", tmp_path, *author, *arguments], check=True, capture_output=True)

    files.write(tmp_path)
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "all")
    assert files.broken_promises(tmp_path, "HEAD") == []
    schema_file = tmp_path / "events" / "run.finished.v1.schema.json"
    schema = json.loads(schema_file.read_text())
    del schema["$defs"]["RunFinished"]["properties"]["outcome"]
    schema_file.write_text(json.dumps(schema))
    (tmp_path / "samples" / "run.lost.v1.json").unlink()
    broken = files.broken_promises(tmp_path, "HEAD")
    assert "events/run.finished.v1.schema.json: RunFinished.outcome is gone" in broken
    assert "samples/run.lost.v1.json is golden and was changed or removed" in broken
