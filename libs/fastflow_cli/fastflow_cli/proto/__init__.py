"""The contract under `proto/`, generated from the structs that go over the wire.

`python -m fastflow_cli.proto` writes it, `--check` says what is stale or breaks a promise.
"""
