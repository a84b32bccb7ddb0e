"""Where containers on an engine's usual bridge reach this machine."""

from ipaddress import ip_network

from docker import DockerClient


def bridge_address(engine: DockerClient) -> str:
    """Address of the bridge's own end, which is this machine's.

    An engine that made its bridge just now names no gateway; then it is the first address of the subnet.
    """
    settings = engine.networks.get("bridge").attrs["IPAM"]["Config"][0]
    return str(settings.get("Gateway") or next(ip_network(settings["Subnet"]).hosts()))
