"""Random compose files: a rewrite that means the same is nothing, an added grant is one finding."""

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.detect.source import DictSource
from bot.review.compare import compare
from bot.review.hunks import whole_file
from bot.review.model import Change, Review

SOURCES = (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "data",
    "./src",
)
GRANTING = SOURCES[:3]


@dataclass(frozen=True, slots=True)
class Mount:
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    image: str
    mounts: tuple[Mount, ...]
    user: str | None


@dataclass(frozen=True, slots=True)
class Style:
    """One way to write the same file."""

    indent: int = 2
    quote: str = ""
    long: bool = False
    anchored: bool = False  # the list of mounts stands in a fragment above
    merged: bool = False  # the service takes its mounts by a merge key
    reverse: bool = False  # services and keys the other way round
    mode: str = ""
    tag: str = "1"
    comment: bool = False


names = st.sampled_from(["web", "db", "agent", "proxy", "worker", "cron"])
mounts = st.builds(
    Mount, st.sampled_from(SOURCES), st.sampled_from(["/a", "/b", "/var/run/docker.sock", "/d"])
)
services = st.builds(
    Service,
    names,
    st.sampled_from(["nginx", "ghcr.io/acme/agent", "host:5000/x/y"]),
    st.lists(mounts, max_size=3, unique_by=lambda mount: mount.target).map(tuple),
    st.sampled_from([None, "1000:1000"]),
)
stacks = st.lists(services, min_size=1, max_size=4, unique_by=lambda service: service.name).map(
    tuple
)
styles = st.builds(
    Style, st.sampled_from([2, 4]), st.sampled_from(["", "'", '"']), st.booleans(), st.booleans(),
    st.booleans(), st.booleans(), st.sampled_from(["", ":ro"]), st.sampled_from(["1", "2"]),
    st.booleans(),
)  # fmt: skip


def written(stack: tuple[Service, ...], style: Style) -> str:
    """Return the compose file that says `stack`, in one style."""
    pad, above, below = " " * style.indent, [], []
    for service in reversed(stack) if style.reverse else stack:
        entries = mount_lines(service, style)
        own = [f"image: {style.quote}{service.image}:{style.tag}{style.quote}"]
        if service.user:
            own.append(f'user: "{service.user}"')
        if entries and style.merged:
            above += [
                f"x-{service.name}: &{service.name}",
                f"{pad}volumes:",
                *indented(entries, pad, 2),
            ]
            own.append(f"<<: *{service.name}")
        elif entries and style.anchored:
            above += [f"x-{service.name}: &{service.name}", *indented(entries, pad, 1)]
            own.append(f"volumes: *{service.name}")
        elif entries:
            own += ["volumes:", *indented(entries, pad, 1)]
        if style.reverse and not (entries and not style.merged and not style.anchored):
            own.reverse()
        if style.comment:
            own.insert(0, "# - /var/run/docker.sock:/var/run/docker.sock")
        below += [f"{pad}{service.name}:", *indented(own, pad, 2)]
    return "\n".join([*above, "services:", *below, "volumes:", f"{pad}data: {{}}", ""])


def mount_lines(service: Service, style: Style) -> list[str]:
    if not style.long:
        return [
            f"- {style.quote}{m.source}:{m.target}{style.mode}{style.quote}" for m in service.mounts
        ]
    found = []
    for mount in service.mounts:
        kind = "volume" if mount.source == "data" else "bind"
        read_only = ", read_only: true" if style.mode else ""
        found.append(
            f"- {{type: {kind}, source: {mount.source}, target: {mount.target}{read_only}}}"
        )
    return found


def indented(lines: list[str], pad: str, depth: int) -> list[str]:
    return [pad * depth + line for line in lines]


def review(base: str, head: str, old: str = "compose.yaml", new: str = "compose.yaml") -> Review:
    change = Change(old, new, whole_file(head.count("\n")))
    return compare(DictSource({old: base}), DictSource({new: head}), [change])


def granted(stack: tuple[Service, ...]) -> int:
    return sum(mount.source in GRANTING for service in stack for mount in service.mounts)


@settings(max_examples=150, deadline=None)
@given(stacks, styles, styles)
def test_a_rewrite_that_keeps_the_meaning_adds_nothing(
    stack: tuple[Service, ...], one: Style, two: Style
) -> None:
    found = review(written(stack, one), written(stack, two))
    assert found.findings == ()
    assert found.unknowns == ()


@settings(max_examples=100, deadline=None)
@given(stacks, styles)
def test_a_new_file_grants_what_it_says(stack: tuple[Service, ...], style: Style) -> None:
    found = compare(
        DictSource({}),
        DictSource({"compose.yaml": written(stack, style)}),
        [Change(None, "compose.yaml", whole_file(written(stack, style).count("\n")))],
    )
    assert sum(len(finding.grants) for finding in found.findings) == granted(stack)


@settings(max_examples=150, deadline=None)
@given(stacks, styles, styles, st.sampled_from(GRANTING), st.data())
def test_one_added_grant_is_one_finding(
    stack: tuple[Service, ...], one: Style, two: Style, source: str, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(stack) - 1))
    service = stack[index]
    more = replace(service, mounts=(*service.mounts, Mount(source, "/added")))
    head = (*stack[:index], more, *stack[index + 1 :])
    found = review(written(stack, one), written(head, two))
    assert [len(finding.grants) for finding in found.findings] == [1]
    [finding] = found.findings
    assert finding.grant.subject == f"service {service.name}"
    assert source in written(head, two).split("\n")[finding.line - 1]


@settings(max_examples=60, deadline=None)
@given(stacks, styles, st.sampled_from(["stack.yaml", "deploy/docker-compose.yml"]))
def test_a_renamed_file_or_service_adds_nothing(
    stack: tuple[Service, ...], style: Style, new: str
) -> None:
    assert review(written(stack, style), written(stack, style), new=new).findings == ()
    renamed = tuple(replace(service, name=f"{service.name}-2") for service in stack)
    assert review(written(stack, style), written(renamed, style)).findings == ()
