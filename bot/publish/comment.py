"""Finding -> the inline comment: what this line gives to whom, and what to do. Markdown."""

import re

from bot.detect.grant import Grant, How, Undermined
from bot.gate.policy import Policy
from bot.gate.verdict import Verdict
from bot.publish.escape import code, own, prose
from bot.publish.judges import judges
from bot.publish.words import power, reached
from bot.publish.writes import Inline, marker
from bot.review.advice import Advice, Tool, advise, proxy_sections
from bot.review.model import Finding, InSummary, OnLine, Suggestion

_MOST_SHOWN = 8  # grants or restrictions listed one by one
_HOLDING = frozenset({How.MOUNT, How.DIRECTORY, How.SWITCH, How.FILE_OBJECT, How.INHERITED})


def finding_key(finding: Finding) -> str:
    """Return what a comment on this finding is recognised by: the grants it speaks of."""
    return " ".join(sorted(finding.fingerprints))


def inline(finding: Finding, verdict: Verdict) -> tuple[Inline, ...]:
    """Return the new comment for one finding with its place; () where the diff has none."""
    if isinstance(finding.anchor, InSummary):
        return ()
    body, key = finding_comment(finding, verdict), finding_key(finding)
    if not isinstance(finding.anchor, OnLine):
        return (Inline(finding.path, None, _without_suggestion(body), key),)
    found = finding.suggestion
    if found is None:
        return (Inline(finding.path, finding.line, body, key),)
    first = found.first if found.first < found.last else None
    return (Inline(finding.path, found.last, body, key, first, _without_suggestion(body)),)


def finding_comment(finding: Finding, verdict: Verdict, standing: str | None = None) -> str:
    """Return the comment for one finding of a verdict.

    `standing` is what the comment says that stands already. It stays on the lines that it was put
    on, so an edit of other lines than the one it offers has no place there.
    """
    grant = finding.grant
    parts = [_headline(finding), *_why_root(grant), *_way(finding), *_worthless(finding)]
    advice = advise(grant)
    parts += _proxy(finding) if finding.leaves_open else _safer(advice, grant)
    offered = finding.suggestion
    if offered is not None and (standing is None or _offer(offered) in standing):
        parts.append(_suggestion(offered, advice.tool))
    parts.append(_next(verdict.policy, self_justify=verdict.self_justify))
    parts.append(marker("finding", *sorted(finding.fingerprints)))
    return "\n\n".join(part for part in parts if part)


def resolved_comment(body: str) -> str:
    """Return a comment's text once its finding is gone."""
    said = _without_suggestion(body)
    return f"{_RESOLVED}\n\n<details><summary>What it said</summary>\n\n{said}\n\n</details>"


def is_resolved(body: str) -> bool:
    """Tell whether a comment of ours is marked as resolved."""
    return body.startswith(_RESOLVED)


_SUGGESTED = re.compile(
    r"\*\*In one edit:\*\*[^\n]*\n\n<!-- sockgate:suggestion [0-9a-f]+ -->\n"
    r"(?P<fence>`{3,})suggestion\n.*?(?<=\n)(?P=fence)\n\n",
    re.DOTALL,
)


def _offer(suggestion: Suggestion) -> str:
    return f"<!-- sockgate:suggestion {suggestion.digest} -->"


def _suggestion(suggestion: Suggestion, tool: Tool | None) -> str:
    """Return the block that GitHub offers to commit; the file's own text, byte for byte."""
    text = "".join(f"{line}\n" for line in suggestion.lines)
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    if tool is not None and tool.needs_nothing:
        what = "nothing in it uses the socket, so this takes it away."
    else:
        what = "this takes the socket away, with the proxy of this file in its place."
    return f"**In one edit:** {what}\n\n{_offer(suggestion)}\n{fence}suggestion\n{text}{fence}"


def _without_suggestion(body: str) -> str:
    return _SUGGESTED.sub("", body.replace("\r\n", "\n"), count=1)


_ROOT = "Whoever can talk to the daemon can start another container with the host's `/` mounted."
_READ_ONLY = "Read-only (`:ro`) changes nothing about that."
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
            there = " there" if "://" in grant.resource else ""
            return f"is pointed at {what}: {power(grant)}{there}"
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
    return [f"{_ROOT} {_READ_ONLY}" if grant.how in {How.MOUNT, How.DIRECTORY} else _ROOT]


def _way(finding: Finding) -> list[str]:
    steps = finding.grant.steps
    if len(steps) < 2:
        return []
    way = " → ".join(code(f"{step.path}:{step.line}") for step in steps[:_MOST_SHOWN])
    return [f"The way: {way}"]


def _worthless(finding: Finding) -> list[str]:
    among = {one for grant in finding.grants for one in grant.undermines}
    found = sorted(among, key=lambda one: (one.path != finding.path, one.path, one.line, one.text))
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


def _proxy(finding: Finding) -> list[str]:
    """Return what is to be said of a socket proxy's own mount, which it cannot do without."""
    return [
        f"**What it leaves open:** {prose(finding.leaves_open, 800)}",
        (
            "**Safer:** open only the sections that its one client needs, publish no port, and put "
            "both on an internal network that nobody else shares."
        ),
    ]


def _safer(advice: Advice, grant: Grant) -> list[str]:
    tool = advice.tool
    if tool is None:
        return [f"**Safer:** {own(advice.summary)}"]
    name = own(tool.title)
    parts = [f"**Safer, for {name}:** {own(advice.summary)} {own(advice.remains)}".strip()]
    details = [f"Why it asks: {own(tool.need)}."]
    if tool.proxy_helps:
        details.append(_ready(tool, sections=proxy_sections(tool), client=_client(grant, tool)))
    if "BUILD" in tool.sections:
        details.append(_BUILDS)
    if tool.caveat:
        details.append(own(tool.caveat))
    details.append("Sources: " + "; ".join(code(source, 400) for source in tool.sources[:4]))
    body = "\n\n".join(details)
    parts.append(f"<details><summary>More about {name}</summary>\n\n{body}\n\n</details>")
    return parts


_BUILDS = """To build without a daemon, as an ordinary user in an ordinary container:

```sh
docker run --rm --security-opt seccomp=unconfined --security-opt apparmor=unconfined \\
  -e BUILDKITD_FLAGS=--oci-worker-no-process-sandbox -v "$PWD:/work" \\
  --entrypoint buildctl-daemonless.sh moby/buildkit:rootless \\
  build --frontend dockerfile.v0 --local context=/work --local dockerfile=/work
# or, with Buildah
buildah build --isolation chroot .
```"""


def _client(grant: Grant, tool: Tool) -> str:
    """Return the service's name where it is one that needs no quotes, else the tool's."""
    name = grant.subject.removeprefix("service ")
    return name if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,60}", name) else tool.name


def _ready(tool: Tool, *, sections: tuple[str, ...], client: str) -> str:
    """Return a proxy for one tool that is ready to be taken over. What it reads is all it opens."""
    opened = "".join(f"      {section}: 1\n" for section in sections)
    environment = f"    environment:\n{opened}" if opened else ""
    setting = tool.endpoint.replace("PROXY", "socket-proxy:2375")
    name, _, value = setting.partition("=")
    pointed = f"    environment:\n      {name}: {value}\n" if name else ""
    if name.startswith("--"):
        pointed = f"    command:  # and what else it is told\n      - {setting}\n"
    how = "" if name else ", and point it at `tcp://socket-proxy:2375` in its own settings"
    return (
        "A proxy that opens only what it needs:\n\n```yaml\nservices:\n  socket-proxy:\n"
        "    image: tecnativa/docker-socket-proxy:v0.4.2\n    read_only: true\n"
        f"    tmpfs: [/run, /tmp]\n{environment}    volumes:\n"
        "      - /var/run/docker.sock:/var/run/docker.sock:ro\n    networks: [socket]\n"
        f"  {client}:\n{pointed}    networks: [default, socket]\n"
        "networks:\n  socket:\n    internal: true\n```\n\n"
        f"Take the mount away from it{how}. The proxy's own mount stays a grant to justify, once."
    )


def _next(policy: Policy, *, self_justify: bool) -> str:
    ask = "" if self_justify else f"ask {judges(policy)} to "
    return (
        "**Next:** take the safer way, or say in the description why it has to be so and "
        f"{ask}put on the label {code(policy.label)}."
    )
