"""Policy -> whose label counts, as the end of a sentence. Markdown."""

from bot.gate.policy import Policy
from bot.gate.verdict import Verdict
from bot.publish.escape import code


def judges(policy: Policy) -> str:
    """Return whom one can ask."""
    who = f"someone whose role here is at least {code(policy.role)}"
    if policy.users:
        who += ", or " + ", ".join(code(user) for user in policy.users)
    if policy.teams:
        who += ", or a member of " + ", ".join(code(team) for team in policy.teams)
    return who


def who_may(verdict: Verdict) -> str:
    """Return the same with who may not, whatever their role is."""
    who = judges(verdict.policy)
    if not verdict.self_justify:
        who += ", and who neither opened this pull request nor wrote one of its commits"
    return who
