"""`/api/secrets`: names and versions come out, values only go in."""

from fastflow_events.errors import ConcurrencyError, DomainError, NotFoundError
from fastflow_events.recorded import Cause
from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody
from msgspec import Struct

from fastflow_gateway.core.bodies import read_json
from fastflow_gateway.core.typed import InstantText
from fastflow_gateway.core.views.secrets import SecretRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import secrets
from fastflow_gateway.handlers.secrets import PublicKey, SealBody, SecretAccepted, SecretBody
from fastflow_gateway.handlers.variables import VariableResponse, variables_of_pipelines
from fastflow_gateway.http.bodies import operation_with
from fastflow_gateway.http.raises import raises


class SecretResponse(Struct, frozen=True, kw_only=True):
    """One secret; nobody but a runner can know its value."""

    name: str
    version: int
    key_id: str
    """Of the key it was sealed for."""
    who: str
    """Who set or removed it last."""
    set_at: InstantText
    removed: bool
    seq: int


class SecretList(Struct, frozen=True, kw_only=True):
    """Secrets by name."""

    items: list[SecretResponse]
    next: str | None = None


class VariableList(Struct, frozen=True, kw_only=True):
    """Variables by pipeline."""

    items: list[VariableResponse]
    next: str | None = None


class Encrypted(Struct, frozen=True, kw_only=True):
    """A text for `encrypted_env`."""

    encrypted: str


class SecretController(Controller):
    """Set and remove what runs get as environment variables."""

    path = "/api/secrets"
    tags = ("secrets",)

    @get(opt=raises())
    async def list(self, deps: NamedDependency[Deps]) -> SecretList:
        """Every secret there is, without its value."""
        return SecretList(items=[_show(row) for row in await deps.rows.secrets()])

    @get("/public-key", opt=raises(NotFoundError))
    async def public_key(self, deps: NamedDependency[Deps]) -> PublicKey:
        """The key to seal values for."""
        return await secrets.public_key(deps.log)

    @get("/from-pipelines", opt=raises())
    async def from_pipelines(self, deps: NamedDependency[Deps]) -> VariableList:
        """Which variables pipelines set, which secrets they want, and which of these nobody has set; names only."""
        return VariableList(items=await variables_of_pipelines(deps.rows))

    @post(
        "/encrypt-for-pipeline",
        status_code=200,
        operation_class=operation_with(SealBody, example={"pipeline": "sales", "name": "PASSWORD", "value": "s3cret"}),
        opt=raises(NotFoundError),
    )
    async def encrypt(self, body: RawBody, deps: NamedDependency[Deps]) -> Encrypted:
        """Seal a value for one variable of one pipeline; it opens nowhere else."""
        return Encrypted(encrypted=await secrets.seal_for_pipeline(deps.log, read_json(body, SealBody)))

    @get("/{name:str}", opt=raises(NotFoundError))
    async def show(self, name: FromPath[str], deps: NamedDependency[Deps]) -> SecretResponse:
        """One secret, a removed one too."""
        return _show(await secrets.find_secret(deps.log, name))

    @put(
        "/{name:str}",
        operation_class=operation_with(SecretBody, example={"value": "s3cret"}, exactly_one=("value", "sealed")),
        opt=raises(NotFoundError, DomainError, ConcurrencyError),
    )
    async def set(
        self,
        *,
        name: FromPath[str],
        body: RawBody,
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> SecretAccepted:
        """Give it a new value; runs that are dispatched from now on get it."""
        return await secrets.set_secret(deps.log, name, read_json(body, SecretBody), who=who, cause=cause)

    @delete("/{name:str}", status_code=200, opt=raises(NotFoundError, DomainError, ConcurrencyError))
    async def remove(
        self,
        *,
        name: FromPath[str],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> SecretAccepted:
        """Grant it to no run any more; removing twice is removing once."""
        return await secrets.remove_secret(deps.log, name, who=who, cause=cause)


def _show(row: SecretRow) -> SecretResponse:
    return SecretResponse(
        name=row.name,
        version=row.version,
        key_id=row.key_id,
        who=row.who,
        set_at=row.set_at,
        removed=bool(row.removed),
        seq=row.seq,
    )
