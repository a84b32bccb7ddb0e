"""Questions about the installation: repositories, secrets, environments, settings, the queue's lease."""

from fastflow_gateway.adapters.rows.asking import Asking
from fastflow_gateway.core.views.environments import EnvironmentRow
from fastflow_gateway.core.views.installation import QueueRow, SettingsRow
from fastflow_gateway.core.views.repositories import RepositoryRow
from fastflow_gateway.core.views.secrets import SecretRow


class InstallationQuestions(Asking):
    """`InstallationRows` and `EnvironmentRows` over the reading connections."""

    async def repository(self, name: str) -> RepositoryRow | None:
        """The repository, removed ones too, or None."""
        rows = await self._select(RepositoryRow, "repositories WHERE name = ?", name)
        return rows[0] if rows else None

    async def repositories(self) -> list[RepositoryRow]:
        """Repositories by name."""
        return await self._select(RepositoryRow, "repositories WHERE status != 'removed' ORDER BY name")

    async def secret(self, name: str) -> SecretRow | None:
        """The secret, removed ones too, or None."""
        rows = await self._select(SecretRow, "secrets WHERE name = ?", name)
        return rows[0] if rows else None

    async def secrets(self) -> list[SecretRow]:
        """Secrets by name."""
        return await self._select(SecretRow, "secrets WHERE removed = 0 ORDER BY name")

    async def settings(self) -> SettingsRow | None:
        """What holds for all; None while nobody said anything."""
        rows = await self._select(SettingsRow, "settings LIMIT 1")
        return rows[0] if rows else None

    async def queue_lease(self) -> QueueRow | None:
        """The newest lease, or None."""
        rows = await self._select(QueueRow, "queue LIMIT 1")
        return rows[0] if rows else None

    async def environment(self, id: str) -> EnvironmentRow | None:
        """The environment, or None."""
        rows = await self._select(EnvironmentRow, "environments WHERE id = ?", id)
        return rows[0] if rows else None

    async def environments(self) -> list[EnvironmentRow]:
        """Environments by id."""
        return await self._select(EnvironmentRow, "environments ORDER BY id")

    async def environment_uses(self) -> dict[str, str]:
        """When a run was started last in each environment."""
        found = await self._all("SELECT environment, last_started FROM environments_used")
        return {str(environment): str(at) for environment, at in found}
