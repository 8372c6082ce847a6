"""A small GitHub on loopback, for tests and ``make demo``: real HTTP, real git, GitHub's own rules.

A scenario reads like what people do::

    with SmallGitHub() as github:
        acme, mia, dev = github.organization("acme"), github.user("mia"), github.user("dev")
        shop = acme.repository("shop", {"compose.yml": "services: {}\\n"}, private=True)
        shop.add_collaborator(mia, "maintain")
        shop.add_collaborator(dev, "write")
        app = github.app(
            "sockgate",
            permissions={"checks": "write", "pull_requests": "write", "contents": "read"},
            events=["pull_request", "check_run"],
            webhook_url="http://127.0.0.1:3000/webhook",
        )
        app.install(acme)  # an ``installation`` event is sent, signed with ``app.secret``
        pull = shop.pull({"compose.yml": "…docker.sock…"}, by=dev, title="Add Traefik")
        github.wait_for(lambda: pull.check("docker-socket", app))
        assert not github.mergeable(pull, required=[("docker-socket", app)])
        github.clock.advance(2)  # GitHub's times have whole seconds
        pull.label("docker-socket-justified", by=mia)
        github.wait_for(lambda: github.mergeable(pull, required=[("docker-socket", app)]))
        pull.push({"compose.yml": "…another…"}, by=dev)
        assert not github.violations  # everything held against GitHub's own descriptions

The server under test gets ``github.url`` as ``GITHUB_API_URL``, ``app.id``, ``app.private_key`` and
``app.secret``. What happens to webhooks is in ``github.webhooks`` (``held``, ``lose``, ``send``,
``redeliver``, ``log``), what goes wrong in ``github.faults``, what was asked in
``github.requests``, limits in ``github.limits`` and ``github.rates``.
"""

from .git import executable, submodule, symlink
from .hub import SmallGitHub
from .model.accounts import Account
from .model.apps import App, Installation
from .model.pulls import PullRequest
from .model.repositories import Repository
from .model.reviewing import Draft
from .truth.hooks import examples

__all__ = [
    "Account",
    "App",
    "Draft",
    "Installation",
    "PullRequest",
    "Repository",
    "SmallGitHub",
    "examples",
    "executable",
    "submodule",
    "symlink",
]
