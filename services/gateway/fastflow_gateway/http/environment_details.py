"""`GET /api/environments/{id}`."""

from fastflow_events.errors import NotFoundError
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.environment_details import EnvironmentDetails, show_environment
from fastflow_gateway.http.raises import raises


class EnvironmentDetailController(Controller):
    """One environment."""

    path = "/api/environments"
    tags = ("environments",)

    @get("/{id:str}", opt=raises(NotFoundError))
    async def show(self, *, id: FromPath[str], deps: NamedDependency[Deps]) -> EnvironmentDetails:
        """Its lock, its packages, whose it is, and why it could not be installed where it could not."""
        return await show_environment(deps, id)
