"""Everything around the application, from the outside in."""

from litestar import Litestar
from litestar.types import ASGIApp

from fastflow_gateway.core.hosts import hosts_of
from fastflow_gateway.http.etags import with_etags
from fastflow_gateway.http.guard import guarded
from fastflow_gateway.http.headers import with_headers
from fastflow_gateway.http.limits import limited
from fastflow_gateway.http.methods import paths_of, with_methods
from fastflow_gateway.http.next_page import with_links
from fastflow_gateway.settings import GatewaySettings


def edged(app: Litestar, settings: GatewaySettings) -> ASGIApp:
    """The application as it is served.

    Raises:
        SettingsError: one of its names is none.
    """
    inner = with_methods(with_links(with_etags(app)), paths_of(app))
    hosts = hosts_of(settings.allowed_hosts, listens_on=settings.host)
    return with_headers(limited(guarded(inner, hosts), settings))
