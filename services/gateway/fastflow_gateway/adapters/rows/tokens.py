"""Questions about tokens."""

from fastflow_gateway.adapters.rows.asking import Asking
from fastflow_gateway.core.views.tokens import TokenRow


class TokenQuestions(Asking):
    """`TokenRows` over the reading connections."""

    async def tokens(self) -> list[TokenRow]:
        """Tokens, newest first."""
        return await self._select(TokenRow, "tokens ORDER BY created_at DESC, id")

    async def token_of(self, hash: str) -> TokenRow | None:
        """The token with this hash, or None."""
        rows = await self._select(TokenRow, "tokens WHERE hash = ?", hash)
        return rows[0] if rows else None
