"""The rules of a chain: it is set once, and removed when it is there."""

from msgspec import Struct

from fastflow_events.absent import NoChainOfApi
from fastflow_events.aggregates.chain.commands import ChainCommand, RemoveChain, SetChain
from fastflow_events.aggregates.chain.events import ChainRemoved, ChainSet
from fastflow_events.decider import Decider
from fastflow_events.errors import DomainError, NotFoundError
from fastflow_events.fact import Fact


class Chain(Struct, frozen=True, kw_only=True):
    """What the rules need to know of a chain."""

    set: ChainSet | None = None


class ChainExistsError(DomainError):
    """There already is a chain between these pipelines with this run configuration."""

    code = "chain-exists"


def decide(command: ChainCommand, chain: Chain) -> list[Fact]:
    """Return the facts that follow from `command`; an empty list means "already so".

    Raises:
        ChainExistsError: it is set, to something else.
        NotFoundError: it is not set.
    """
    match command:
        case SetChain(chain=wanted):
            if chain.set is None:
                return [wanted]
            if _terms(chain.set) == _terms(wanted):
                return []
            raise ChainExistsError("remove it first, then set it anew", upstream=wanted.upstream)
        case RemoveChain(who=who):
            if chain.set is None:
                raise NotFoundError(NoChainOfApi())
            return [ChainRemoved(who=who)]


def _terms(chain: ChainSet) -> tuple[object, ...]:
    return (chain.on_success, chain.on_failure, chain.on_route, chain.params)


def evolve(chain: Chain, fact: Fact) -> Chain:
    """Apply one recorded fact. Never refuses: what happened, happened."""
    match fact:
        case ChainSet():
            return Chain(set=fact)
        case ChainRemoved():
            return Chain()
        case _:
            return chain


chain_decider: Decider[ChainCommand, Chain] = Decider(aggregate="chain", initial=Chain(), decide=decide, evolve=evolve)
