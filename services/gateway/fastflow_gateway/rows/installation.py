"""What is asked about the installation: repositories, secrets, environments, settings, the queue's lease."""

from typing import Protocol

from fastflow_gateway.core.views.environments import EnvironmentRow
from fastflow_gateway.core.views.installation import QueueRow, SettingsRow
from fastflow_gateway.core.views.repositories import RepositoryRow
from fastflow_gateway.core.views.secrets import SecretRow


class InstallationRows(Protocol):
    """The tables of what there is once, or a few times."""

    async def repository(self, name: str) -> RepositoryRow | None:
        """The repository, removed ones too, or None."""

    async def repositories(self) -> list[RepositoryRow]:
        """Every watched repository, by name."""

    async def secret(self, name: str) -> SecretRow | None:
        """The secret, removed ones too, or None."""

    async def secrets(self) -> list[SecretRow]:
        """Every secret that is not removed, by name."""

    async def settings(self) -> SettingsRow | None:
        """What holds for everything; None while nobody said anything."""

    async def queue_lease(self) -> QueueRow | None:
        """What the leader of the newest term goes by, or None."""


class EnvironmentRows(Protocol):
    """The table of environments, and when they were used."""

    async def environment(self, id: str) -> EnvironmentRow | None:
        """The environment, or None."""

    async def environments(self) -> list[EnvironmentRow]:
        """Every environment that was ever installed or failed to be, by id."""

    async def environment_uses(self) -> dict[str, str]:
        """When a run was started last in each environment, by the hash in its manifest."""
