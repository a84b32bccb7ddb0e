"""Prints `deploy/nats.conf`: the server's configuration, but for who may do what, which `fastflow keys` writes.

`python -m fastflow_events.nats.server_conf > deploy/nats.conf`
"""

import sys

from fastflow_events.nats.keys import PUBLIC_FILE
from fastflow_events.nats.room import VARIABLE

STORE_FILE = "store.conf"

HEADER = f"""\
# Generated from fastflow_events.nats.server_conf; `make proto` writes it, the tests compare it.
# `fastflow keys` writes the accounts and the public keys of their users, `fastflow size-store` the size of the store.
include "keys/{PUBLIC_FILE}"
include "keys/{STORE_FILE}"
listen: "0.0.0.0:4222"
http: "127.0.0.1:8222"
server_name: fastflow
max_payload: 2MB
max_connections: 256
write_deadline: "10s"
# A power cut loses nothing that was acknowledged; an append costs 0.4 ms more.
jetstream {{ store_dir: "/var/lib/nats", sync_interval: always, max_file_store: ${VARIABLE}, max_memory_store: 128MB }}
"""


def nats_conf() -> str:
    """Return the configuration compose mounts."""
    return HEADER


if __name__ == "__main__":
    sys.stdout.write(nats_conf())
