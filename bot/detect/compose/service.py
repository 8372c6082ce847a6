"""The services of a project -> the grants that say what each of them reaches."""

from collections.abc import Callable, Iterator, Sequence

from bot.detect.ci.places import Places
from bot.detect.compose.clients import Clients, Setting, environment
from bot.detect.compose.commands import Commands
from bot.detect.compose.definition import definition
from bot.detect.compose.hardening import undermined
from bot.detect.compose.hints import Quiet
from bot.detect.compose.loader import Loader
from bot.detect.compose.mounts import Mounts, Reached
from bot.detect.compose.options import passed_on
from bot.detect.compose.project import Model, Plan
from bot.detect.compose.values import Value, hashed
from bot.detect.grant import Grant, How, Step, Undermined
from bot.detect.lines import Text
from bot.detect.mounts import repository
from bot.detect.shell import Reach
from bot.detect.sockets import Target


class Services:
    """The services of one project."""

    def __init__(self, model: Model, plan: Plan, loader: Loader) -> None:
        self._model = model
        self._plan = plan
        self._loader = loader
        self._mounts = Mounts(model)
        self._clients = Clients(model, self._mounts)
        self._places = Places("", Text(""))
        self._commands = Commands(self._places)
        self._quiet = Quiet()
        # What any service may use by its name alone.
        self._shared = any(
            not self._quiet.is_quiet(value)
            for name in ("secrets", "configs", "volumes")
            for value in model.sections[name].values()
        )

    def grants(self, wanted: Callable[[str], bool]) -> Iterator[Grant]:
        """Yield what each service reaches, where its way ends in a file that is wanted."""
        for name, service in self._model.services.items():
            if service.taken_away or self._idle(service):
                continue
            about = _About(name, service, self._model, self._plan, self._loader)
            for grant in self._service(service, about):
                if wanted(grant.path):
                    yield grant

    def _idle(self, service: Value) -> bool:
        """Tell by its text alone that a service hands nothing over."""
        return not self._shared and self._quiet.is_quiet(service)

    def _service(self, service: Value, about: "_About") -> Iterator[Grant]:
        settings = environment(service, self._loader)
        for reached in self._mounts.of(service):
            yield about.mounted(reached)
        for reached in self._clients.addresses(service, settings):
            yield about.mounted(reached)
        for reached in passed_on(service):
            named = reached.how is How.ADDRESS
            if not named or not self._known(reached.target.resource, service, settings):
                yield about.mounted(reached)
        for reach in self._commands.reaches(service, settings):
            own = reach.image is None and reach.how in {How.ADDRESS, How.RAW_API}
            if not own or not self._known(reach.resource, service, settings):
                yield about.run(reach, self._places)

    def _known(self, resource: str, service: Value, settings: dict[str, Setting]) -> bool:
        url = resource if "://" in resource else "unix:///var/run/docker.sock"
        return self._clients.known(url, service, settings)


class _About:
    """What all grants of one service have in common; worked out for the first one."""

    def __init__(self, name: str, service: Value, model: Model, plan: Plan, loader: Loader) -> None:
        self._name = name
        self._service = service
        self._model = model
        self._plan = plan
        self._loader = loader
        self._digest = ""

    def mounted(self, reached: Reached) -> Grant:
        """Return the grant of a mount, a switch or an address."""
        self._digest = self._digest or definition(self._service)
        return self._grant(
            reached.target, reached.how, reached.steps, self._image(), self._digest,
            undermined(self._service, self._model), None,
        )  # fmt: skip

    def run(self, reach: Reach, places: Places) -> Grant:
        """Return the grant of a command that the service runs."""
        way = [places.at(number) for number in (*reach.steps, reach.line)]
        steps = [step for place in way for step in (*place.before, Step(place.path, place.line))]
        steps += [step for place in way for step in place.after]
        last = way[-1].after[-1] if way[-1].after else Step(way[-1].path, way[-1].line)
        flags = [(flag, places.at(number)) for flag, number in reach.undermines]
        own = tuple(
            Undermined(flag.replace("=", " ").split(maxsplit=1)[0], flag, at.path, at.line)
            for flag, at in flags
            if flag.strip("= ")
        )
        ends = [places.at(number) for number in reach.extent]
        direct = all(end.path == last.path and not end.after for end in ends)
        return self._grant(
            Target(reach.resource, reach.how, reach.severity),
            reach.how,
            (*(step for step in dict.fromkeys(steps) if step != last), last),
            reach.image or self._image(),
            hashed(reach.words),
            own if reach.image is not None else undermined(self._service, self._model),
            (ends[0].line, ends[-1].line) if direct else (last.line, last.line),
        )

    def _grant(
        self,
        target: Target,
        how: How,
        steps: Sequence[Step],
        image: str | None,
        digest: str,
        undermines: tuple[Undermined, ...],
        extent: tuple[int, int] | None,
    ) -> Grant:
        last = steps[-1]
        tree = self._loader.tree(last.path)
        return Grant(
            path=last.path,
            line=last.line,
            text=tree.text.line(last.line) if tree is not None else "",
            subject=f"service {self._name}",
            image=image,
            resource=target.resource,
            how=how,
            severity=target.severity,
            steps=tuple(dict.fromkeys((*steps, *self._elsewhere(last.path)))),
            undermines=undermines,
            definition=digest,
            extent=extent or self._extent(last),
        )

    def _image(self) -> str | None:
        image = self._service.get("image")
        return repository(image.text) if image is not None and image.text.strip() else None

    def _extent(self, last: Step) -> tuple[int, int]:
        for span in self._model.spans.get(self._name, ()):
            if span.path == last.path and span.first <= last.line <= span.last:
                return span.first, span.last
        return last.line, last.line

    def _elsewhere(self, path: str) -> list[Step]:
        """Return where other files speak about the service: what they say decides as well."""
        spans = self._model.spans.get(self._name, ())
        found = [Step(span.path, span.first) for span in spans if span.path != path]
        image = self._service.get("image")
        if image is not None and image.file.path != path:
            found.append(image.own)
        return [*found, *self._plan.named_by] if found else []
