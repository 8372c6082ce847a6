"""Git objects: commits, trees, blobs and refs."""

import dataclasses
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from tests.github.clock import stamp
from tests.github.git import Commit, Signature, TreeEntry
from tests.github.model.repositories import Repository

from .accounts import UserNode
from .base import Connection, Context, Node, Plain, show

if TYPE_CHECKING:
    from collections.abc import Callable

_COAUTHOR = re.compile(r"^co-authored-by:\s*(.*?)\s*<(.*?)>\s*$", re.IGNORECASE | re.MULTILINE)
_SNIFFED = 8_000


@dataclass(frozen=True, slots=True)
class Found:
    """An object of a repository, with its content."""

    repository: Repository
    sha: str
    kind: str
    content: bytes


_OBJECT: "dict[str, Callable[[Any], Any]]" = {
    "oid": lambda one: one.sha,
    "abbreviatedOid": lambda one: one.sha[:7],
    "id": lambda one: one.repository.hub.ids.node("O", int(one.sha[:10], 16), one),
}


def found(context: Context, repository: Repository, name: str) -> "Node[Any] | None":
    """Show the object that an expression such as ``main:compose.yml`` stands for, if any."""
    revision, colon, path = name.partition(":")
    commit = repository.resolve(revision)
    start = commit or (revision if repository.tree_of(revision) else None)
    if start is None:
        plain = repository.git.read(name) if re.fullmatch(r"[0-9a-f]{40}", name) else None
    else:
        plain = repository.git.read(f"{start}:{path}" if colon else start)
    if plain is None:
        return None
    sha, kind, content = plain
    if kind == "commit":
        return CommitNode(context, InRepository(repository, repository.git.show(sha)))
    thing = Found(repository, sha, kind, content)
    return BlobNode(context, thing) if kind == "blob" else TreeNode(context, thing)


class BlobNode(Node[Found]):
    """A file's content: ``text`` is null for binary files and cut for large ones."""

    typename = "Blob"
    plain: ClassVar[Plain] = {**_OBJECT, "byteSize": lambda one: len(one.content)}

    def field_is_binary(self) -> bool:
        """Look for a NUL at the beginning, as git does."""
        return b"\0" in self.thing.content[:_SNIFFED]

    def field_is_truncated(self) -> bool:
        """Whether ``text`` is not all of it."""
        return len(self.thing.content) > self.context.hub.limits.blob_text

    def field_text(self) -> str | None:
        """Return the text; what is no UTF-8 is transcoded."""
        if self.field_is_binary():
            return None
        content = self.thing.content[: self.context.hub.limits.blob_text]
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            if self.field_is_truncated() and error.end == len(content):
                return content[: error.start].decode(errors="replace")
            return content.decode("latin-1")


class TreeNode(Node[Found]):
    """A folder."""

    typename = "Tree"
    plain: ClassVar[Plain] = _OBJECT

    def field_entries(self) -> list["TreeEntryNode"]:
        """List what is directly in it."""
        here = self.thing.repository
        return [
            TreeEntryNode(self.context, InTree(here, entry))
            for entry in here.git.tree(self.thing.sha, recursive=False)
        ]


@dataclass(frozen=True, slots=True)
class InTree:
    """One entry of a tree."""

    repository: Repository
    entry: TreeEntry


class TreeEntryNode(Node[InTree]):
    """A file or a folder in a folder."""

    typename = "TreeEntry"
    plain: ClassVar[Plain] = {
        "name": lambda one: PurePosixPath(one.entry.path).name,
        "path": lambda one: one.entry.path,
        "type": lambda one: one.entry.kind,
        "mode": lambda one: int(one.entry.mode, 8),
        "oid": lambda one: one.entry.sha,
        "size": lambda one: one.entry.size or 0,
        "extension": lambda one: PurePosixPath(one.entry.path).suffix,
    }

    def field_object(self) -> "Node[Any] | None":
        """Show the object itself; a submodule's commit is not here."""
        if self.thing.entry.kind == "commit":
            return None
        return found(self.context, self.thing.repository, self.thing.entry.sha)


@dataclass(frozen=True, slots=True)
class InRepository:
    """A commit, seen through a repository."""

    repository: Repository
    commit: Commit

    @property
    def sha(self) -> str:
        """The commit's name."""
        return self.commit.sha


class GitActorNode(Node[Signature]):
    """An author or committer as the commit says, and the account that GitHub takes it for."""

    typename = "GitActor"
    plain: ClassVar[Plain] = {
        "name": lambda one: one.name,
        "email": lambda one: one.email,
        "date": lambda one: stamp(one.at),
    }

    def field_user(self) -> UserNode | None:
        """Find the account by the address."""
        account = self.context.hub.by_email(self.thing.email)
        return UserNode(self.context, account) if account else None


class CommitNode(Node[InRepository]):
    """A commit with its people and its checks."""

    typename = "Commit"
    plain: ClassVar[Plain] = {
        **_OBJECT,
        "message": lambda one: one.commit.message,
        "messageHeadline": lambda one: one.commit.message.partition("\n")[0],
        "authoredDate": lambda one: stamp(one.commit.author.at),
        "committedDate": lambda one: stamp(one.commit.committer.at),
        "url": lambda one: (
            f"{one.repository.hub.page_url}/{one.repository.full_name}/commit/{one.sha}"
        ),
    }

    def field_author(self) -> GitActorNode:
        """Return the author."""
        return GitActorNode(self.context, self.thing.commit.author)

    def field_committer(self) -> GitActorNode:
        """Return the committer."""
        return GitActorNode(self.context, self.thing.commit.committer)

    def field_authors(self, **page: Any) -> Connection:
        """List the author and those named by ``Co-authored-by``."""
        commit = self.thing.commit
        others = [
            dataclasses.replace(commit.author, name=name, email=email)
            for name, email in _COAUTHOR.findall(commit.message)
        ]
        everyone = [commit.author, *others]
        return Connection(everyone, lambda one: GitActorNode(self.context, one), **page)

    def field_parents(self, **page: Any) -> Connection:
        """List the parents."""
        here = self.thing.repository
        return Connection(
            self.thing.commit.parents,
            lambda sha: CommitNode(self.context, InRepository(here, here.git.show(sha))),
            **page,
        )

    def field_tree(self) -> "Node[Any] | None":
        """Return its tree."""
        return found(self.context, self.thing.repository, self.thing.commit.tree)

    def field_repository(self) -> "Node[Any] | None":
        """Return the repository through which it was found."""
        return show(self.context, self.thing.repository)

    def field_check_suites(
        self, filter_by: dict[str, Any] | None = None, **page: Any
    ) -> Connection:
        """List check suites, of one App if asked."""
        here, wanted = self.thing.repository, filter_by or {}
        self.context.may(here, "checks:read")
        listed = [
            suite
            for suite in here.suites
            if suite.sha == self.thing.sha
            and wanted.get("appId") in (None, suite.app.id)
            and (
                wanted.get("checkName") is None
                or any(run.name == wanted["checkName"] for run in suite.runs)
            )
        ]
        return Connection(listed, lambda one: show(self.context, one), **page)

    def field_associated_pull_requests(self, **page: Any) -> Connection:
        """List the pull requests that hold it: no open ones for what the default branch has."""
        page.pop("order_by", None)
        here, sha = self.thing.repository, self.thing.sha
        self.context.may(here, "pull_requests:read")
        default = here.branches.get(here.default_branch)
        merged = default is not None and not here.git.log(default, sha)
        holding = [
            pull
            for pull in here.pulls.values()
            if sha == pull.merge_sha
            or (pull.state == "open" and not merged and sha in pull.commits())
        ]
        return Connection(holding, lambda one: show(self.context, one), **page)


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch of a repository."""

    repository: Repository
    name: str


class RefNode(Node[Branch]):
    """A branch."""

    typename = "Ref"
    plain: ClassVar[Plain] = {
        "id": lambda one: one.repository.hub.ids.node(
            "REF", hash((one.repository.id, one.name)) & 0xFFFFFFFF, one
        ),
        "name": lambda one: one.name,
        "prefix": lambda _: "refs/heads/",
    }

    def field_target(self) -> "Node[Any] | None":
        """Return the commit at its tip."""
        here = self.thing.repository
        return found(self.context, here, here.branches[self.thing.name])
