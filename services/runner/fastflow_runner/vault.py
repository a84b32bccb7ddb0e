"""The sealed values of a run, found in the log and opened."""

from collections import OrderedDict

from fastflow_events import sealing
from fastflow_events.aggregates.run.specification import Specification
from fastflow_events.aggregates.secret.events import SecretSet
from fastflow_events.log import EventLog
from fastflow_events.message import Statement

from fastflow_runner.core.shortfalls import NoSecret
from fastflow_runner.core.unsealing import Keys, Opened, open_all

REMEMBERED = 1000
"""Sealed texts that are kept, so that a version is fetched once; opened values are not."""


class Vault:
    """Opens what a specification names; holds the private keys."""

    def __init__(self, log: EventLog, keys: Keys) -> None:
        self._log = log
        self._keys = keys
        self._sealed: OrderedDict[tuple[str, int], str] = OrderedDict()

    async def open(self, specification: Specification) -> Opened:
        """The values of its sealed variables and granted secrets; the same whenever it is asked.

        Raises:
            InfrastructureError: the log did not answer.
        """
        pipeline = specification.pipeline
        texts = {name: (sealing.for_variable(pipeline, name), text) for name, text in specification.sealed_env.items()}
        missing: dict[str, Statement] = {}
        for name, version in specification.secrets.items():
            text = await self._secret(name, version)
            if text is None:
                missing[name] = NoSecret()
            else:
                texts[name] = (sealing.for_secret(name, version), text)
        opened = open_all(self._keys, texts)
        return Opened(values=opened.values, left_out={**opened.left_out, **missing})

    async def _secret(self, name: str, version: int) -> str | None:
        """The sealed text of one version, which never changes; None when nobody ever set it."""
        if version == 0:
            return None
        if (name, version) not in self._sealed:
            facts = (await self._log.load("secret", name)).facts
            for fact in facts:
                if isinstance(fact, SecretSet) and fact.version == version:
                    self._sealed[name, version] = fact.sealed
            while len(self._sealed) > REMEMBERED:
                self._sealed.popitem(last=False)
        return self._sealed.get((name, version))
