"""The engine's machine as containers see it, on a network of its own where they may talk to each other."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network

from docker import DockerClient
from docker.types import IPAMConfig, IPAMPool
from msgspec import Struct

from fastflow_runner.testing.knocking import Heard, servers

METADATA = [
    ("tcp", "169.254.169.254", 80),
    ("udp", "169.254.169.254", 80),
    ("tcp", "169.254.170.2", 80),
    ("tcp", "fd00:ec2::254", 80),
    ("tcp", "100.100.100.200", 80),
]
"""Where clouds tell machines their secrets."""


class Place(Struct, frozen=True, kw_only=True):
    """Addresses of the machine, and servers on all of them."""

    gateway: str
    gateway_6: str
    elsewhere: str
    """Another address of the same machine."""
    shut: Heard
    opened: Heard
    also: Heard
    """Opened, too."""

    def shut_targets(self) -> list[tuple[str, str, int]]:
        """Everything that nobody may reach: the machine, by each of its addresses, and the metadata of clouds."""
        both = (self.gateway, self.gateway_6)
        return [
            *((kind, address, self.shut.port) for kind in ("tcp", "udp") for address in both),
            *(("icmp", address, 0) for address in both),
            ("tcp", self.elsewhere, self.shut.port),
            ("udp", self.elsewhere, self.shut.port),
            *METADATA,
        ]


@contextmanager
def engine_machine(engine: str, network: str, *, six: int) -> Iterator[Place]:
    """Make the network on the engine at this socket; `six` tells its IPv6 subnet from those of others."""
    client = DockerClient(base_url=f"unix://{engine}")
    subnet = f"fd00:{six:x}:{os.getpid() % 0x10000:x}::/64"
    pools = IPAMConfig(pool_configs=[IPAMPool(subnet=subnet)])
    made = client.networks.create(network, driver="bridge", enable_ipv6=True, ipam=pools)
    other = client.networks.create(f"{network}-other", driver="bridge")

    def ends(network: str) -> list[str]:
        answer = client.networks.get(network).attrs["IPAM"]["Config"]
        return [
            (one.get("Gateway") or str(next(ip_network(one["Subnet"]).hosts()))).partition("/")[0] for one in answer
        ]

    try:
        found = ends(network)
        with servers(3) as (shut, opened, also):
            yield Place(
                gateway=next(address for address in found if ":" not in address),
                gateway_6=next(address for address in found if ":" in address),
                elsewhere=ends(other.name or "")[0],
                shut=shut,
                opened=opened,
                also=also,
            )
    finally:
        made.remove()
        other.remove()
        client.close()
