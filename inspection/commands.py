"""The gateway's commands at mitmproxy's and mitmweb's command line, also for scripts: `ctx.master.commands.call(…)`.

They answer with text. What they know of channels they are given by functions; flows may be live ones or from a file.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import mitmproxy.types
from mitmproxy import command, ctx, exceptions, http
from mitmproxy.flow import Flow

from config.problems import ConfigError
from inspection.export import exported
from inspection.flow_notes import NotedClient, noted_client
from inspection.past import asked_of, past_lines
from inspection.replay import beside
from inspection.views.text import harmless
from translators.errors import WireError

NOT_OURS = "The gateway did not answer this flow, or what its client sent is not kept with it."
NO_DESTINATION = (
    "Name the channel that the request is to go to, as provider/model; the command uniapi.channels lists them. Without "
    "one, mitmproxy's own command replay.client sends it by the rules of its client."
)


def named[Function: Callable[..., str]](name: str) -> Callable[[Function], Function]:
    """mitmproxy's own decorator, which has no types."""
    decorator: Callable[[Function], Function] = command.command(f"uniapi.{name}")
    return decorator


class Commands:
    """`channels` and `outlook` give lines, the latter for a client's short name and a model, and may raise WireError;
    `clear_cooldowns` ends those with a text in their name and gives their number; `reload` says what came of it, or
    raises ConfigError; `refusal_of` says why a request cannot be replayed to a destination."""

    name = "uniapi_commands"

    def __init__(
        self,
        *,
        channels: Callable[[], Iterable[str]],
        outlook: Callable[[str, str], Iterable[str]],
        clear_cooldowns: Callable[[str], int],
        reload: Callable[[], str],
        refusal_of: Callable[[NotedClient, str], WireError | None],
    ) -> None:
        self._channels = channels
        self._outlook = outlook
        self._clear_cooldowns = clear_cooldowns
        self._reload = reload
        self._refusal_of = refusal_of

    @named("channels")
    def channels(self) -> str:
        """The state of every channel and key: free, or cooling down, for how long and why."""
        return text_of(self._channels)

    @named("cooldown.clear")
    def clear_cooldowns(self, matching: str = "") -> str:
        """End the cooldowns of what has this text in its name (provider, model, masked key); without one, all."""
        number = self._clear_cooldowns(matching)
        return f"{number} cooldown{'' if number == 1 else 's'} ended."

    @named("reload")
    def reload(self) -> str:
        """Read the configuration now. One with mistakes changes nothing."""
        try:
            return self._reload()
        except ConfigError as error:
            raise exceptions.CommandError(f"The configuration cannot be used:\n{error}") from None

    @named("explain")
    def explain(self, flow: Flow) -> str:
        """Why this flow was served by whom it was, and where the same request would go now."""
        flow, noted = ours(flow)
        lines = list(past_lines(flow))
        asked = asked_of(flow, noted)
        if asked:
            lines += ["", text_of(lambda: self._outlook(noted.name, asked))]
        return harmless("\n".join(lines))

    @named("replay")
    def replay(self, flow: Flow, destination: str) -> str:
        """Send the client's request to a channel, provider/model, as a new flow beside this one."""
        flow, noted = ours(flow)
        if not destination:
            raise exceptions.CommandError(NO_DESTINATION)
        refusal = self._refusal_of(noted, destination)
        if refusal is not None:
            raise exceptions.CommandError(refusal.message)
        ctx.master.commands.call("replay.client", [beside(flow, destination)])
        return f"The request goes to {destination} as a new flow."

    @named("export")
    def export(self, flow: Flow, path: mitmproxy.types.Path) -> str:
        """Write the whole exchange to a file as JSON, without secrets: a fixture for tests."""
        flow, _ = ours(flow)
        try:
            Path(path).write_bytes(exported(flow))
        except OSError as error:
            raise exceptions.CommandError(f"{path} cannot be written: {error.strerror}.") from None
        return f"The exchange is written to {path}."


def ours(flow: Flow) -> tuple[http.HTTPFlow, NotedClient]:
    """The flow, and what its client sent. Raises CommandError for flows that are not the gateway's."""
    noted = noted_client(flow)
    if noted is None or not isinstance(flow, http.HTTPFlow):
        raise exceptions.CommandError(NOT_OURS)
    return flow, noted


def text_of(lines: Callable[[], Iterable[str]]) -> str:
    """The lines as one text, or why there are none."""
    try:
        return "\n".join(lines())
    except WireError as error:
        return error.message
