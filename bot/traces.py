"""Traces, where the standard variable OTEL_EXPORTER_OTLP_ENDPOINT names who takes them.

A delivery is a span; the job that it led to, in whatever process, continues it; an evaluation and
each request to GitHub are spans below. Nothing of OpenTelemetry is imported where nobody wants
traces. A span carries coordinates and kinds of failure, never a text that could hold a secret.
Variables: opentelemetry.io, "OpenTelemetry Protocol Exporter" and "General SDK Configuration".
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

Attributes = Mapping[str, str | int]

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PARENT = "traceparent"  # w3.org/TR/trace-context

_provider: "TracerProvider | None" = None


def start(environment: Mapping[str, str]) -> bool:
    """Begin to send spans where the environment asks for it; return whether it does."""
    global _provider  # noqa: PLW0603 - OpenTelemetry's is one a process, too
    off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if off or not any(environment.get(name) for name in _ENDPOINTS):
        return False
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - start-up
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - start-up
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - start-up
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - start-up

    name = environment.get("OTEL_SERVICE_NAME") or "sockgate"
    about = Resource.create({"service.name": name, "service.version": __version__})
    _provider = TracerProvider(resource=about, shutdown_on_exit=False)
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return True


def stop(seconds: float) -> None:
    """Send what is left, within so many seconds, and end."""
    global _provider  # noqa: PLW0603 - see above
    if _provider is not None:
        # It would wait for half a minute by itself where nobody takes them.
        ending = threading.Thread(target=_provider.shutdown, daemon=True)
        ending.start()
        ending.join(seconds)
        _provider = None


@contextmanager
def span(name: str, about: Attributes, parent: str = "") -> Iterator[None]:
    """Make a span of what is done inside; `parent`: where it goes on, as `here` wrote it.

    What is raised inside is named by its type and no more.
    """
    if _provider is None:
        yield
        return
    from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415 - start-up
    from opentelemetry.trace.propagation import tracecontext  # noqa: PLC0415 - start-up

    carrier = {_PARENT: parent} if parent else {}
    above = tracecontext.TraceContextTextMapPropagator().extract(carrier) if parent else None
    tracer = _provider.get_tracer("sockgate", __version__)
    with tracer.start_as_current_span(
        name,
        above,
        attributes=_named(about),
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        try:
            yield
        except Exception as error:
            made.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def tell(about: Attributes) -> None:
    """Add to the span that this is done in."""
    if _provider is not None:
        from opentelemetry.trace import get_current_span  # noqa: PLC0415 - start-up

        get_current_span().set_attributes(_named(about))


def _named(about: Attributes) -> dict[str, str | int]:
    return {f"sockgate.{name}" if "." not in name else name: about[name] for name in about}


def here() -> str:
    """Write down the span that this is done in, for another process; empty where there is none."""
    if _provider is None:
        return ""
    from opentelemetry.trace.propagation import tracecontext  # noqa: PLC0415 - start-up

    carrier: dict[str, str] = {}
    tracecontext.TraceContextTextMapPropagator().inject(carrier)
    return carrier.get(_PARENT, "")
