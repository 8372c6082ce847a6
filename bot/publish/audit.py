"""Verdict -> the audit record: who asked for what, who justified it, when and why."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from bot.detect.grant import Grant
from bot.gate.facts import Facts
from bot.gate.verdict import Verdict
from bot.pull import PullRef

HELD, NOT_HELD, IGNORED = "held", "not held", "ignored"
VERDICT, MERGED, CLOSED = "verdict", "merged", "closed"


@dataclass(frozen=True, slots=True)
class AuditedGrant:
    """One grant that a verdict was about, and how the policy took it."""

    standing: str  # HELD, NOT_HELD or IGNORED
    path: str
    line: int
    subject: str
    image: str | None
    resource: str
    how: str
    severity: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the audit log. Plain values: it outlives the code that made it."""

    pull: PullRef
    event: str  # VERDICT, MERGED or CLOSED
    at: datetime
    head: str
    author: str  # of the pull request; "" where the account is gone
    conclusion: str  # what the check said: "success" or "failure"
    because: str
    grants: tuple[AuditedGrant, ...] = ()
    actor: str = ""  # who justified; of MERGED and CLOSED, who did it
    role: str = ""
    reason: str = ""
    label_event: int = 0  # REST id of the event that put the label on
    labelled_at: datetime | None = None
    refused_actor: str = ""
    refused_why: str = ""
    policy: str = ""  # where it lies, and a digest of its text; "" for the built-in defaults

    @property
    def key(self) -> str:
        """Digest of all but the time: the same verdict, reached again, is not recorded again."""
        found = sorted((one.fingerprint, one.standing) for one in self.grants)
        parts = (
            self.event,
            self.head,
            self.conclusion,
            self.because,
            self.actor,
            self.reason,
            str(self.label_event),
            self.refused_actor,
            self.refused_why,
            self.policy,
            repr(found),
        )
        return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def audit(verdict: Verdict, facts: Facts, at: datetime) -> Entry:
    """Return the record of one verdict. `at` is when it was reached."""
    by, refusal = verdict.justification, verdict.refusal
    return Entry(
        pull=facts.pull,
        event=VERDICT,
        at=at,
        head=facts.head,
        author=facts.author.login if facts.author else "",
        conclusion=verdict.conclusion,
        because=str(verdict.because),
        grants=(
            *(_grant(HELD, one) for found in verdict.findings for one in found.grants),
            *(_grant(NOT_HELD, one) for found in verdict.not_held for one in found.grants),
            *(_grant(IGNORED, one) for rule in verdict.ignored for one in rule.finding.grants),
        ),
        actor=by.actor if by else "",
        role=by.role.name.lower() if by else "",
        reason=by.reason if by else "",
        label_event=by.event if by else 0,
        labelled_at=by.at if by else None,
        refused_actor=(refusal.actor or "") if refusal else "",
        refused_why=str(refusal.why) if refusal else "",
        policy=_policy(facts),
    )


def ended(facts: Facts, at: datetime) -> Entry | None:
    """Return the record of a pull request's end, None while it is open.

    What its last check said is known to the log itself.
    """
    if facts.ended is None:
        return None
    return Entry(
        pull=facts.pull,
        event=MERGED if facts.ended.merged else CLOSED,
        at=facts.ended.at or at,
        head=facts.head,
        author=facts.author.login if facts.author else "",
        conclusion="",
        because="",
        actor=facts.ended.by,
    )


def _grant(standing: str, grant: Grant) -> AuditedGrant:
    return AuditedGrant(
        standing=standing,
        path=grant.path,
        line=grant.line,
        subject=grant.subject,
        image=grant.image,
        resource=grant.resource,
        how=str(grant.how),
        severity=str(grant.severity),
        fingerprint=grant.fingerprint,
    )


def _policy(facts: Facts) -> str:
    if facts.policy is None:
        return ""
    digest = sha256((facts.policy.text or "").encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{facts.policy.where} {digest}"
