"""Machines for tests: processes that share a database and note their evaluations in a file.

`python -m tests.machines URL FOLDER NAME`: each line of standard input stores a delivery,
"ID INSTALLATION NUMBER". An evaluation asks for its permit every 50 ms, as one that sends requests
does, takes one second (a file `slow-INSTALLATION` makes it hold on), and notes
"TIME NAME began|ended|dropped INSTALLATION#NUMBER".
"""

import sys
import time
from pathlib import Path

from bot import logs
from bot.database import Database
from bot.forge.error import ForgeError
from bot.forge.pace import permit
from bot.intake import Intake
from bot.jobs import Job
from bot.machines import Times
from bot.metrics import Metrics
from bot.pull import PullRef
from bot.queue import Queue
from bot.wake import WakePull
from bot.work import Outcome, Work
from tests.here import hand_in

TIMES = Times(beat=0.3, lapse=1.5, silence=3.0)


def main(url: str, folder: Path, name: str) -> None:
    def say(what: str) -> None:
        sys.stdout.write(f"{what}\n")
        sys.stdout.flush()

    def note(what: str, pull: PullRef) -> None:
        with (folder / "notes").open("a") as file:
            file.write(f"{time.time():.3f} {name} {what} {pull.installation}#{pull.number}\n")

    def evaluate(pull: PullRef) -> Outcome:
        note("began", pull)
        end = time.monotonic() + 1.0
        try:
            while time.monotonic() < end or (folder / f"slow-{pull.installation}").exists():
                permit.get().sharers()
                time.sleep(0.05)
            permit.get().sharers()
        except ForgeError:
            note("dropped", pull)
            raise
        note("ended", pull)
        return Outcome.DONE

    logs.configure("info")  # to standard error: nobody may be reading the other one
    database = Database(url)
    queue = Queue(
        database,
        Work(evaluate, lambda _target: ()),
        Metrics(),
        times=TIMES,
        poll=0.05,
        first_pause=0.1,
    )
    queue.start()
    intake = Intake(database)
    intake.start()
    say("ready")
    for line in sys.stdin:
        delivery, installation, number = line.split()
        pull = PullRef(int(installation), "octo", "hello", int(number))
        [receipt] = hand_in(intake, Job(delivery, delivery, WakePull(pull)))
        say(receipt)
    intake.stop(2)
    say(str(queue.stop(2)))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
