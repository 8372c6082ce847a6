"""The facts of one pull request -> its review: the files are read, and both sides compared."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from bot.forge import read
from bot.forge.changes import Changes, as_listed, changes, changes_between, changes_from
from bot.forge.client import Client
from bot.forge.error import ForgeError
from bot.forge.merged import merged
from bot.forge.read import Now
from bot.forge.source import Files
from bot.gate.facts import Facts
from bot.gate.policy import Policy
from bot.gate.verdict import is_ignored, is_trusted, policy_of
from bot.review.compare import compare, in_scope, wanted
from bot.review.incomplete import incomplete
from bot.review.links import Followed
from bot.review.model import Finding, InSummary, Review


def reviewed(
    client: Client, facts: Facts, pause: Callable[[float], None]
) -> tuple[Facts, Review, Now]:
    """Return what the head adds, with the policy that it proposes in the facts, and the head after.

    A head that is not on top of its base is also looked at as GitHub would merge it: what the base
    has by now may give the head's own text another meaning.

    Two histories that were merged into each other have several merge bases. GitHub tells one, and
    a merge takes them all; so a head with merges of its own, and not on top of its base, is also
    compared with the base as it is now. Raises ForgeError and SourceError.
    """
    own = changes(client, facts)
    facts, review, seen = _reviewed(client, facts, own)
    if own.merge_base == facts.base:
        return facts, review, seen
    policy, _ = policy_of(facts)
    if facts.has_merges:
        now = _between(client, facts, facts.base, policy, own)
        review = _with(review, now, lambda one: replace(one, comes_back_to=facts.base_branch))
    if any(in_scope(path) for one in own.changes for path in (one.old, one.new) if path):
        test = merged(client, facts, pause)
        if test is not None:
            both = _between(client, replace(facts, head=test.commit), test.base, policy, own)
            review = _with(review, both, lambda one: replace(one, comes_by=facts.base_branch))
    return facts, review, read.now(client, facts)


def reviewed_group(client: Client, facts: Facts) -> Review:
    """Return what a merge group's commit adds to its branch, whatever that has by now.

    The group's own `base_sha` is not asked: it may be the commit of a group ahead in the queue, and
    where only the last group's check has to pass, both are merged on the strength of this one.
    Raises ForgeError and SourceError.
    """
    own = changes_from(client, facts, facts.base)
    if own is None:
        raise ForgeError("it has no history in common with its branch", retry=False)
    return _reviewed(client, facts, own)[1]


def _reviewed(client: Client, facts: Facts, own: Changes) -> tuple[Facts, Review, Now]:
    files = Files(client, facts, own.merge_base, own.changes)
    touched = {path for one in own.changes for path in (one.old, one.new)}
    for path in read.policy_files(facts.pull) & touched:
        text = files.read(facts.head, path)
        facts = replace(facts, changes_policy=(text or b"").decode("utf-8", "replace"))
    policy, _ = policy_of(facts)
    review = _compared(files, own, policy)
    since = None if is_trusted(facts, policy) else changes_from(client, facts, facts.default_head)
    if since is None or since.merge_base == own.merge_base:
        return facts, review, files.now or read.now(client, facts)
    wider = _compared(Files(client, facts, since.merge_base, since.changes), since, policy)
    review = _with(review, wider, lambda one: replace(one, comes_with=facts.base_branch))
    if facts.has_merges and since.merge_base != facts.default_head:
        wider = _between(client, facts, facts.default_head, policy, own)
        review = _with(review, wider, lambda one: replace(one, comes_with=facts.base_branch))
    return facts, review, read.now(client, facts)


def _between(client: Client, facts: Facts, commit: str, policy: Policy, own: Changes) -> Review:
    differing = changes_between(client, facts, commit)
    differing = replace(differing, changes=as_listed(differing.changes, own.changes))
    return _compared(Files(client, facts, commit, differing.changes), differing, policy)


def _compared(files: Files, differing: Changes, policy: Policy) -> Review:
    paths = {path for change in differing.changes for path in (change.old, change.new) if path}
    if any(in_scope(path) for path in paths):
        _prefetch(files)
    base, head = Followed(files.base_side), Followed(files.head_side)
    today = files.known.read_at.date() if files.known.read_at is not None else date.max
    review = compare(
        base,
        head,
        differing.changes,
        implicit=policy.implicit,
        not_held=is_ignored(policy, today),
    )
    if not differing.complete:
        review = incomplete(review, f"only the first {len(differing.changes):,} files that changed")
    if not files.complete:
        review = incomplete(review, "not all files of this repository")
    return review


def _prefetch(files: Files) -> None:
    """Read in one go what the comparison is going to ask for."""
    sides = [
        (commit, path)
        for change in files.changes
        for commit, path in ((files.merge_base, change.old), (files.head, change.new))
        if path is not None and in_scope(path)
    ]
    also = [(files.head, path) for path in wanted(files.changes, files.paths())]
    files.fetch((*sides, *also))


def _with(review: Review, wider: Review, told: Callable[[Finding], Finding]) -> Review:
    """Add what another comparison finds beyond the first; `told` says why it is there.

    A check belongs to a commit, not to a base: pointed at the default branch, the pull request
    would be merged by the check that stands. None of it is in the diff, so no line shows it.
    """
    known = Counter(grant.fingerprint for finding in review.findings for grant in finding.grants)
    brought = []
    for finding in wider.findings:
        for grant in finding.grants:
            if known[grant.fingerprint]:
                known[grant.fingerprint] -= 1
            else:
                brought.append(told(Finding(grant, InSummary())))
    unknowns = tuple(one for one in wider.unknowns if one not in review.unknowns)
    return replace(
        review,
        findings=(*review.findings, *brought),
        unknowns=(*review.unknowns, *unknowns),
    )
