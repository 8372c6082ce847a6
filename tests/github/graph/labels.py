"""Labels, as they are and as an event remembers them."""

from typing import ClassVar
from urllib.parse import quote

from tests.github.model.labels import Label
from tests.github.model.pulls import TimelineEvent

from .base import Context, Node, Plain, shows


@shows(Label)
class LabelNode(Node[Label]):
    """A label of a repository."""

    typename = "Label"
    plain: ClassVar[Plain] = {
        "id": lambda one: one.node_id,
        "name": lambda one: one.name,
        "color": lambda one: one.color,
        "description": lambda one: one.description,
        "isDefault": lambda _: False,
        "url": lambda one: (
            f"{one.hub.page_url}/{one.repository.full_name}/labels/{quote(one.name, safe='')}"
        ),
    }


class PastLabelNode(Node[TimelineEvent]):
    """A label as it was called when the event happened."""

    typename = "Label"
    plain: ClassVar[Plain] = {
        "id": lambda event: event.label.node_id,
        "name": lambda event: event.label_name,
        "color": lambda event: event.label_color,
        "description": lambda event: event.label.description,
    }


def of_event(context: Context, event: TimelineEvent) -> LabelNode | PastLabelNode:
    """Show the label of an event, with its present name or its past one as the hub is set."""
    label = event.label
    if label is not None and context.hub.label_in_events == "now":
        return LabelNode(context, label)
    return PastLabelNode(context, event)
