"""Finding -> the inline comment: what this line gives to whom, and what to do. Markdown."""

from bot.detect.grant import Grant, How, Undermined
from bot.gate.policy import Policy
from bot.publish.escape import code, own, prose
from bot.publish.words import power, reached
from bot.publish.writes import marker
from bot.review.advice import Advice, advise, proxy_sections
from bot.review.model import Finding

_MOST_SHOWN = 8  # grants or restrictions listed one by one
_HOLDING = frozenset({How.MOUNT, How.DIRECTORY, How.SWITCH, How.FILE_OBJECT, How.INHERITED})


def finding_key(finding: Finding) -> str:
    """Return what a comment on this finding is recognised by: the grants it speaks of."""
    return " ".join(sorted(finding.fingerprints))


def finding_comment(finding: Finding, policy: Policy) -> str:
    """Return the comment for one finding."""
    grant = finding.grant
    parts = [_headline(finding), *_why_root(grant), *_way(finding), *_worthless(finding)]
    parts += _safer(advise(grant))
    parts.append(_next(policy))
    parts.append(marker("finding", *sorted(finding.fingerprints)))
    return "\n\n".join(part for part in parts if part)


def resolved_comment(body: str) -> str:
    """Return a comment's text once its finding is gone."""
    return f"{_RESOLVED}\n\n<details><summary>What it said</summary>\n\n{body}\n\n</details>"


def is_resolved(body: str) -> bool:
    """Tell whether a comment of ours is marked as resolved."""
    return body.startswith(_RESOLVED)


_ROOT = (
    "Whoever can talk to the daemon can start another container with the host's `/` mounted. "
    "Read-only (`:ro`) changes nothing about that."
)
_RESOLVED = "**Resolved.** This change no longer hands over the daemon here."


def _headline(finding: Finding) -> str:
    lines = [f"**{_whom(grant)} {_gets(grant)}.**" for grant in finding.grants[:_MOST_SHOWN]]
    rest = len(finding.grants) - _MOST_SHOWN
    if rest > 0:
        lines.append(f"And {rest} more, from the same line.")
    return "  \n".join(lines)


def _whom(grant: Grant) -> str:
    subject = code(grant.subject)
    if grant.image and grant.image not in grant.subject:
        return f"{subject} ({code(grant.image)})"
    return subject


def _gets(grant: Grant) -> str:
    what = prose(reached(grant.resource))
    match grant.how:
        case How.DECLARED:
            return f"is set up to use {what}; by itself this line gives nothing"
        case How.LISTEN | How.RELAY:
            return f"opens {what} to whoever reaches it: {power(grant)}"
        case How.PERMISSION:
            return f"lets other accounts use {what}: {power(grant)}"
        case How.PLATFORM:
            return f"gets {what} from the platform: {power(grant)}"
        case How.ADDRESS:
            return f"is pointed at {what}: {power(grant)} there"
        case _:
            return f"gets {what}: {power(grant)}"


def _why_root(grant: Grant) -> list[str]:
    if grant.how is How.DECLARED:
        return [
            "Whoever runs it is expected to hand the socket over, and then it has "
            + power(grant)
            + "."
        ]
    if grant.how not in _HOLDING:
        return []
    if grant.resource.endswith("-rootless") or grant.resource.startswith("/run/user"):
        return [
            "Whoever can talk to a daemon can start any container as its user, with all its files."
        ]
    return [_ROOT]


def _way(finding: Finding) -> list[str]:
    steps = finding.grant.steps
    if len(steps) < 2:
        return []
    way = " → ".join(code(f"{step.path}:{step.line}") for step in steps[:_MOST_SHOWN])
    return [f"The way: {way}"]


def _worthless(finding: Finding) -> list[str]:
    found = list(dict.fromkeys(one for grant in finding.grants for one in grant.undermines))
    if not found:
        return []
    shown = ", ".join(
        f"{code(one.text)} ({_place(one, finding.path)})" for one in found[:_MOST_SHOWN]
    )
    rest = len(found) - _MOST_SHOWN
    more = f" and {rest} more" if rest > 0 else ""
    return [f"Worthless beside it: {shown}{more}."]


def _place(one: Undermined, path: str) -> str:
    return f"line {one.line}" if one.path == path else code(f"{one.path}:{one.line}")


def _safer(advice: Advice) -> list[str]:
    tool = advice.tool
    if tool is None:
        return [f"**Safer:** {own(advice.summary)}"]
    name = own(tool.name)
    parts = [f"**Safer, for {name}:** {own(advice.summary)} {own(advice.remains)}".strip()]
    details = [f"Why it asks: {own(tool.need)}."]
    if tool.proxy_helps and (sections := proxy_sections(tool)):
        environment = "\n".join(f"      {section}: 1" for section in sections)
        details.append(
            "A proxy that opens only what it needs:\n\n```yaml\nservices:\n  socket-proxy:\n"
            "    image: lscr.io/linuxserver/socket-proxy:latest\n    read_only: true\n"
            f"    tmpfs: [/run]\n    environment:\n{environment}\n    volumes:\n"
            "      - /var/run/docker.sock:/var/run/docker.sock:ro\n    networks: [socket]\n"
            "networks:\n  socket: {internal: true}\n```\n\nThen take the mount away here, join the "
            "network `socket`, and point it at `tcp://socket-proxy:2375`."
        )
    if tool.caveat:
        details.append(own(tool.caveat))
    details.append("Sources: " + "; ".join(code(source, 400) for source in tool.sources[:4]))
    body = "\n\n".join(details)
    parts.append(f"<details><summary>More about {name}</summary>\n\n{body}\n\n</details>")
    return parts


def _next(policy: Policy) -> str:
    return (
        f"**Next:** take the safer way, or say in the description why it has to be so and ask "
        f"someone with the role {code(policy.role)} to put on the label {code(policy.label)}."
    )
