"""The command `sockgate`: parse arguments, call, print. No decisions.

Only what a subcommand needs is imported: `diff` and `scan` start without PyGithub, the queue and
the web server.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from bot import __version__
from bot.detect.garbage import uncollected
from bot.detect.source import SourceError
from bot.publish.plain import visible
from bot.review.model import Review

NOTHING, FINDINGS, NOT_EVALUATED = 0, 1, 2
_WIDTH = 80  # of the help
_FORMATS = ("text", "json", "sarif", "github")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit code: 0 nothing, 1 findings, 2 not evaluated."""
    options = _parser().parse_args(arguments)
    try:
        match options.command:
            case "diff":
                with uncollected():  # values without cycles, and soon the end
                    return _diff(options)
            case "scan":
                with uncollected():
                    return _scan(options)
            case "audit":
                return _audit(options)
            case "doctor":
                return _doctor(options)
            case "jobs":
                return _jobs(options)
            case _:
                return _serve()
    except BrokenPipeError:  # the reader has gone, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_EVALUATED


class _Parser(argparse.ArgumentParser):
    """Shows its help in one width: asking for the terminal's loads more than parsing does."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=_help, **options)


def _help(prog: str) -> argparse.HelpFormatter:
    return argparse.HelpFormatter(prog, width=_WIDTH)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="sockgate",
        description="Find what hands over a container daemon's socket, and what a change adds.",
        epilog="Exit codes of diff and scan: 0 nothing found, 1 findings, 2 could not evaluate.",
    )
    parser.add_argument("--version", action="version", version=f"sockgate {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    diff = commands.add_parser(
        "diff",
        help="what HEAD grants and its merge base with BASE does not",
        description="Compare the merge base of BASE and HEAD with HEAD, as GitHub does. "
        "Where one of them is a tree, the two are compared as they are.",
    )
    diff.add_argument("base", metavar="BASE", nargs="?")
    diff.add_argument("head", metavar="HEAD", nargs="?")
    diff.add_argument("--staged", action="store_true", help="compare HEAD with the index")
    diff.add_argument("--repo", default=".", help="default: the current folder")
    scan = commands.add_parser("scan", help="every grant in a folder")
    scan.add_argument("path", metavar="PATH", nargs="?", default=".")
    for command in (diff, scan):
        command.add_argument("--format", choices=_FORMATS, default="text")
        command.add_argument(
            "--implicit", action="store_true", help="also what a platform grants by itself"
        )
    audit = commands.add_parser(
        "audit",
        help="who asked for what, and who justified it",
        description="Print the audit log, oldest first. Where the database is comes from "
        "DATABASE_URL or DATA_DIR, as for serve; a server may be running.",
    )
    audit.add_argument("--format", choices=("table", "json", "csv"), default="table")
    audit.add_argument("--repo", metavar="OWNER/REPO", default="")
    audit.add_argument("--pull", metavar="NUMBER", type=int, default=0)
    audit.add_argument("--since", metavar="DATE", default="", help="such as 2026-11-24, in UTC")
    audit.add_argument("--until", metavar="DATE", default="", help="likewise, that day included")
    audit.add_argument("--by", metavar="LOGIN", default="", help="who justified")
    doctor = commands.add_parser(
        "doctor",
        help="what is live, against what is needed, and how to mend it",
        description="Check settings, database, App, webhook, installations and repositories. "
        "Exit codes: 0 nothing to mend, 1 something to mend, 2 something could not be checked.",
    )
    doctor.add_argument("--repo", metavar="OWNER/NAME", default="", help="one repository only")
    doctor.add_argument("--format", choices=("text", "json"), default="text")
    jobs = commands.add_parser(
        "jobs",
        help="what is not done yet, what was given up, and trying that again",
        description="Print the jobs that are not done; `jobs retry` tries again what was given up. "
        "Where the database is comes from DATABASE_URL or DATA_DIR, as for serve; a server may be "
        "running.",
    )
    jobs.add_argument("action", nargs="?", choices=("retry",))
    jobs.add_argument("ids", metavar="ID", nargs="*", help="what to try again")
    jobs.add_argument("--all", action="store_true", help="try everything again")
    jobs.add_argument("--dead", action="store_true", help="only what was given up")
    jobs.add_argument("--format", choices=("table", "json"), default="table")
    commands.add_parser("serve", help="run the server; without credentials, its set-up page")
    return parser


def _diff(options: argparse.Namespace) -> int:
    from bot.local import GitError, between, repository, staged  # noqa: PLC0415 - start-up
    from bot.review.compare import compare  # noqa: PLC0415

    if options.staged == bool(options.base and options.head) or (options.staged and options.base):
        return _refuse("give BASE and HEAD, or --staged")
    try:
        with repository(options.repo) as git:
            it = staged(git) if options.staged else between(git, options.base, options.head)
            review = compare(it.base, it.head, it.changes, implicit=options.implicit)
    except (GitError, SourceError) as error:
        return _refuse(str(error))
    return _report(review, options.format)


def _scan(options: argparse.Namespace) -> int:
    from bot.local import FolderSource  # noqa: PLC0415
    from bot.review.compare import survey  # noqa: PLC0415

    path = options.path or "."
    if not os.path.isdir(path):  # noqa: PTH112 - start-up
        return _refuse(f"{path} is no folder")
    source = FolderSource(path)
    try:
        review = survey(source, source.paths(), implicit=options.implicit)
    except SourceError as error:
        return _refuse(str(error))
    return _report(review, options.format)


def _audit(options: argparse.Namespace) -> int:
    from bot import settings  # noqa: PLC0415
    from bot.records import log  # noqa: PLC0415
    from bot.records.reading import UnreadableError, reader  # noqa: PLC0415

    url = settings.database_url(os.environ)
    if isinstance(url, settings.Problems):
        return _refuse(" ".join(url.sentences))
    wanted = log.Wanted(options.repo, options.pull, options.since, options.until, options.by)
    try:
        engine = reader(url)
    except UnreadableError as error:
        return _refuse(str(error))
    render = {"json": log.as_json, "csv": log.as_csv, "table": log.as_table}[options.format]
    for line in render(log.read(engine, wanted)):
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    return NOTHING


def _doctor(options: argparse.Namespace) -> int:
    from bot.doctor.examine import examine  # noqa: PLC0415
    from bot.doctor.report import as_json, as_text, exit_code  # noqa: PLC0415

    lines = []
    for line in examine(os.environ, options.repo):
        lines.append(line)
        if options.format == "text":  # as it is found: many repositories take a while
            sys.stdout.write(as_text([line]))
            sys.stdout.flush()
    if options.format == "json":
        sys.stdout.write(as_json(lines) + "\n")
    return exit_code(lines)


def _jobs(options: argparse.Namespace) -> int:
    from bot import settings  # noqa: PLC0415
    from bot.database import DatabaseError  # noqa: PLC0415
    from bot.letters import as_json, as_table, letters_of  # noqa: PLC0415

    url = settings.database_url(os.environ)
    if isinstance(url, settings.Problems):
        return _refuse(" ".join(url.sentences))
    if options.action == "retry" and bool(options.ids) == options.all:
        return _refuse("give the IDs of what to try again, or --all")
    try:
        letters = letters_of(url)
    except DatabaseError as error:
        return _refuse(str(error))
    if options.action == "retry":
        tried = letters.retry(options.ids, every=options.all)
        unknown = [one for one in options.ids if one not in tried]
        sys.stdout.write(f"{len(tried)} tried again\n")
        return _refuse(f"not given up: {', '.join(unknown)}") if unknown else NOTHING
    render = {"json": as_json, "table": as_table}[options.format]
    sys.stdout.write(render(letters.read(dead=options.dead)) + "\n")
    return NOTHING


def _serve() -> int:
    from bot.server import main as serve  # noqa: PLC0415

    return serve(os.environ)


def _report(review: Review, form: str) -> int:
    match form:
        case "json":
            from bot.publish.json import as_json as render  # noqa: PLC0415
        case "sarif":
            from bot.publish.sarif import as_sarif as render  # noqa: PLC0415
        case "github":
            from bot.publish.annotations import as_annotations as render  # noqa: PLC0415
        case _:
            from bot.publish.text import as_text as render  # noqa: PLC0415
    text = render(review)
    sys.stdout.write(text if text.endswith("\n") or not text else text + "\n")
    sys.stdout.flush()
    if review.findings:
        return FINDINGS
    return NOT_EVALUATED if review.unknowns else NOTHING


def _refuse(why: str) -> int:
    sys.stderr.write(f"sockgate: {visible(why)}\n")
    return NOT_EVALUATED


def run() -> NoReturn:
    """Be the process of the command: run one subcommand and end with its exit code.

    What only reads ends at once: taking every value apart takes a tenth of a scan.
    """
    code = main()
    if sys.argv[1] in {"diff", "scan"}:
        sys.stderr.flush()
        os._exit(code)  # `main` has flushed what it printed
    sys.exit(code)


if __name__ == "__main__":
    run()
