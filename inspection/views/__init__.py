"""The gateway's content views: a flow's request and response are two of four messages, and here are the others.

Chat           chosen for the gateway's flows: the conversation, the answer
Client side    what the client sent, what it received
Provider side  what the provider got, what it answered
Attempts       who was asked, and what came of it
Translation    what became of each of the client's fields
"""

from mitmproxy import contentviews

from inspection.views.attempts import Attempts
from inspection.views.chat import Chat
from inspection.views.client_side import ClientSide
from inspection.views.provider_side import ProviderSide
from inspection.views.translation import Translation
from inspection.views.view import FlowView

VIEWS: tuple[FlowView, ...] = (Chat(), ClientSide(), ProviderSide(), Attempts(), Translation())


def add() -> None:
    """Make mitmproxy know the views. Ones of the same name, from an earlier load of the script, are replaced."""
    for view in VIEWS:
        contentviews.add(view)


def remove() -> None:
    """Take these views out again, and nobody else's: mitmproxy's registry can only add."""
    registry = contentviews.registry
    for view in VIEWS:
        if registry.get(view.name) is view:
            del registry._by_name[view.name.lower()]
            registry.on_change.send(view)
