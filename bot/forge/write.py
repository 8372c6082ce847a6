"""Write -> request. Nothing is sent twice: what failed is planned again from what stands there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, assert_never
from urllib.parse import quote

from bot.forge.client import Client
from bot.forge.error import ForgeError
from bot.forge.label import label_events
from bot.gate.facts import CheckRun, Facts
from bot.gate.justification import same_label
from bot.gate.policy import CHECK
from bot.publish.record import read_record
from bot.publish.writes import (
    AGAIN,
    EditComment,
    Inline,
    PostComment,
    PostReview,
    PutCheck,
    RemoveLabel,
    Write,
)
from bot.pull import PullRef

Log = Callable[[str, str], None]  # (what, why it failed)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the writes."""

    published: tuple[CheckRun, ...] = ()
    left: ForgeError | None = None  # the last failure that trying again can mend


def apply(client: Client, known: Facts, writes: tuple[Write, ...], failed: Log) -> Sent:
    """Send the writes in order.

    Raises ForgeError where the check could not be written. Where anything else failed, the rest is
    sent all the same, and `failed` told of each; but a label stays until the comment stands that
    says why it comes off: once it is off, nobody would know of it.
    """
    left: ForgeError | None = None
    published: list[CheckRun] = []
    unanswered = False
    for write in writes:
        if isinstance(write, RemoveLabel) and unanswered:
            continue
        try:
            if isinstance(write, PutCheck):
                published.append(_put_check(client, known.pull, write))
            else:
                _send(client, known.pull, write)
        except ForgeError as error:
            if isinstance(write, PutCheck):
                raise
            unanswered |= error.retry and isinstance(write, PostComment)
            failed(type(write).__name__, error.reason)
            left = error if error.retry else left
    return Sent(tuple(published), left)


def _send(
    client: Client, pull: PullRef, write: PostReview | EditComment | PostComment | RemoveLabel
) -> None:
    repository = f"/repos/{pull.owner}/{pull.repo}"
    match write:
        case PostReview():
            _review(client, f"{repository}/pulls/{pull.number}", write)
        case EditComment():
            where = f"{repository}/pulls/comments/{write.comment}"
            client.send("PATCH", where, {"body": write.body})
        case PostComment():
            where = f"{repository}/issues/{pull.number}/comments"
            client.send("POST", where, {"body": write.body})
        case RemoveLabel():
            _remove_label(client, pull, write)
        case _:
            assert_never(write)


def _put_check(client: Client, pull: PullRef, write: PutCheck) -> CheckRun:
    """Post a check; one annotation that GitHub does not take must not cost the verdict."""
    path = f"/repos/{pull.owner}/{pull.repo}/check-runs"
    try:
        posted = client.send("POST", path, _check(write))
    except ForgeError as error:
        if not error.refused or not write.annotations:
            raise
        posted = client.send("POST", path, _check(replace(write, annotations=())))
    record = read_record(write.summary)
    return CheckRun(
        head=write.head,
        completed_at=datetime.fromisoformat(posted["completed_at"]).astimezone(UTC),
        pulls=record.pulls,
        shown=record.shown,
        label=record.label,
        covers=record.covers,
        digest=write.key,
        id=posted["id"],
    )


def _check(write: PutCheck) -> Mapping[str, Any]:
    """Return a new run each time: the runs on a commit are the record of what was shown when."""
    label, description, identifier = AGAIN
    return {
        "name": CHECK,
        "head_sha": write.head,
        "external_id": write.key,
        "status": "completed",
        "conclusion": write.conclusion,
        "actions": [{"label": label, "description": description, "identifier": identifier}],
        "output": {
            "title": write.title,
            "summary": write.summary,
            "annotations": [
                {
                    "path": one.path,
                    "start_line": one.line,
                    "end_line": one.line,
                    "annotation_level": one.level,
                    "title": one.title,
                    "message": one.message,
                }
                for one in write.annotations
            ],
        },
    }


def _review(client: Client, pull: str, write: PostReview) -> None:
    """Post one review; where GitHub refuses one of its lines, each comment by itself.

    A comment that is refused on its line is put on the file; past that the check's summary has it.
    """
    on_lines = [one for one in write.comments if one.line is not None]
    on_files = [one for one in write.comments if one.line is None]
    if on_lines:
        body = {
            "commit_id": write.head,
            "event": "COMMENT",
            "comments": [_inline(one) for one in on_lines],
        }
        try:
            client.send("POST", f"{pull}/reviews", body)
        except ForgeError as error:
            if not error.refused:
                raise
            on_files += [
                one for one in on_lines if not _single(client, pull, write.head, _inline(one))
            ]
    for one in on_files:
        _single(
            client,
            pull,
            write.head,
            {"path": one.path, "subject_type": "file", "body": one.on_file or one.body},
        )


def _inline(one: Inline) -> dict[str, Any]:
    several = {} if one.first is None else {"start_line": one.first, "start_side": "RIGHT"}
    return {"path": one.path, "line": one.line, "side": "RIGHT", **several, "body": one.body}


def _single(client: Client, pull: str, head: str, comment: Mapping[str, Any]) -> bool:
    try:
        client.send("POST", f"{pull}/comments", {"commit_id": head, **comment})
    except ForgeError as error:
        if not error.refused:
            raise
        return False
    return True


def _remove_label(client: Client, pull: PullRef, write: RemoveLabel) -> None:
    """Take a label off, unless somebody put it on anew since it was judged."""
    events = label_events(client, pull)
    last = [event.id for event in events if same_label(event.name, write.name)][-1:]
    if last and last != [write.event]:
        return
    labels = f"/repos/{pull.owner}/{pull.repo}/issues/{pull.number}/labels"
    try:
        client.send("DELETE", f"{labels}/{quote(write.name, safe='')}")
    except ForgeError as error:
        if not error.gone:
            raise
