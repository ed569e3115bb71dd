"""What a person is told of the channels just now: which are free, which are left alone, for how long and why; and how
a client's request would go through them."""

from collections.abc import Iterator

from balancing.admission import unknown_name
from balancing.channels import Candidate, Channel
from balancing.cooldown import Cooling
from balancing.gateway import Gateway
from balancing.passage import unserved
from balancing.upstreams import ChannelState
from config.schema import ClientKey

DRAWN = ("random", "lottery")
"""Algorithms that throw dice for every request."""


def channel_lines(gateway: Gateway) -> Iterator[str]:
    """Every provider with its models and keys. Raises WireError 503 while there is no configuration."""
    by_entry: dict[int, list[Channel]] = {}
    for channel in gateway.catalogue.channels:
        by_entry.setdefault(channel.position, []).append(channel)
    assert gateway.config
    for position, provider in enumerate(gateway.config.providers):
        yield f"{provider.name} ({provider.engine})"
        channels = by_entry.get(position, [])
        if not channels:
            yield "  no model of it is known"
        for channel in channels:
            yield f"  {model_name(channel)}: {state_text(gateway.planner.state(channel))}"
        if channels:
            yield from key_lines(gateway, channels)


def key_lines(gateway: Gateway, channels: list[Channel]) -> Iterator[str]:
    """The keys of one provider, and the regions that are left alone."""
    states = [gateway.planner.state(channel) for channel in channels]
    for key, cooling in zip(channels[0].keys, states[0].keys, strict=True):
        yield f"  {key.label}: {cooling_text(cooling) if cooling else 'free'}"
    for state in states:
        yield from (f"  {cooling.what}: {cooling_text(cooling)}" for cooling in state.regions)


def model_name(channel: Channel) -> str:
    """`theirs → what clients ask for`."""
    return channel.model.upstream + (f" → {channel.model.alias}" if channel.model.renamed else "")


def state_text(state: ChannelState) -> str:
    """Whether a channel can be used, and if not, why."""
    if state.cooling is not None:
        return cooling_text(state.cooling)
    if state.seconds_left > 0:
        return f"waiting {state.seconds_left:.0f} s for its keys"
    return "free"


def cooling_text(cooling: Cooling) -> str:
    return f"cooling down for {cooling.seconds_left:.0f} s more ({cooling.why})"


def outlook_lines(gateway: Gateway, name: str, asked: str) -> Iterator[str]:
    """Where the request of the client with this short name for a model would go now, in which order, and why.
    Raises WireError: 401, 404, 503."""
    client = gateway.client_called(name) or gateway.default_client
    if client is None:
        raise unserved(gateway) or unknown_name(name)
    algorithm = client.preferences.scheduling_algorithm
    candidates = gateway.candidates(client, asked)
    order = gateway.planner.outlook(client, asked, candidates)
    yield f"If it came now, by {algorithm}" + (", which draws anew for every request:" if algorithm in DRAWN else ":")
    for number, candidate in enumerate(order, 1):
        yield f"  {number}. {candidate_text(gateway, client, candidate)}"
    for candidate in candidates:
        if candidate not in order:
            yield f"  -  {candidate_text(gateway, client, candidate)}, but not used: others have a weight, it has none"
    yield choice_text(gateway, order)


def candidate_text(gateway: Gateway, client: ClientKey, candidate: Candidate) -> str:
    """`claude/claude-x, rule "claude/*", weight 3: free`."""
    rule = gateway.catalogue.rule_of(client, candidate.channel)
    by = f', rule "{rule.text}"' if rule else ""
    weight = f", weight {candidate.weight}" if candidate.weight else ""
    return f"{candidate.channel.label}{by}{weight}: {state_text(gateway.planner.state(candidate.channel))}"


def choice_text(gateway: Gateway, order: list[Candidate]) -> str:
    """Which of them it would be, at first."""
    waits = [(gateway.planner.state(candidate.channel).seconds_left, candidate.channel.label) for candidate in order]
    seconds, label = min(waits, key=lambda wait: wait[0])
    if seconds == 0:
        return f"The first that is free would be asked: {label}."
    return f"None is free, so the one that recovers soonest would be asked: {label}."
