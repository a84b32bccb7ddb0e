"""What is asked about tokens."""

from typing import Protocol

from fastflow_gateway.core.views.tokens import TokenRow


class TokenRows(Protocol):
    """The table of tokens."""

    async def tokens(self) -> list[TokenRow]:
        """Every token that ever was, newest first."""

    async def token_of(self, hash: str) -> TokenRow | None:
        """The token with this hash, or None."""
