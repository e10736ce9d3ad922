"""How spans leave for their collector: beside the flow, never at its expense, and by a way out that is guarded too."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import NoReturn
from urllib.parse import urlsplit

from service import telemetry
from service.core.errors import OnhookError
from service.core.ports import Clock
from service.outbound import Asked, Caller, Outgoing, Rule, origin_in
from service.settings import Settings
from service.traces import Span, Spans, writer
from service.wiring.machine import version

KEPT = 4_096  # spans that wait for the collector: three hundred clicks, and some megabytes
TOGETHER = 64  # spans in one request: written in some milliseconds, in which nobody else has his turn
REST_SECONDS = 1.0  # so long a span waits for others
LONGEST_REST_SECONDS = 30.0  # between tries while the collector is away
LAST_SECONDS = 0.4  # for what is left when the process ends, which has ten seconds in all
_TAKEN = range(200, 300)
# by the protocol all that is worth another try: https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
_LATER = frozenset({429, 502, 503, 504})
_PROTOBUF = "application/x-protobuf"


class Exporter:
    """Sends what is noted to a collector, as long as it runs."""

    def __init__(
        self, spans: Spans, write: Callable[[Sequence[Span]], bytes], caller: Caller, clock: Clock, asked: Asked
    ) -> None:
        """Take what is noted in `spans`, written by `write`, into the body of `asked`."""
        self._spans, self._write, self._caller, self._clock, self._asked = spans, write, caller, clock, asked
        self._is_lost = False

    async def run(self) -> NoReturn:
        """Send, rest, and send again; the longer the more often it was in vain."""
        rest = REST_SECONDS
        while True:
            await self._clock.sleep(rest)
            rest = REST_SECONDS if await self.send_all() else min(rest * 2, LONGEST_REST_SECONDS)

    async def finish(self) -> None:
        """Send what is left, as much as can be sent in no time; whatever goes wrong with it is nobody's concern."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await self.send_all()
        telemetry.SPANS.labels("dropped").inc(len(self._spans.take(KEPT)))

    async def send_all(self) -> bool:
        """Send all that is there; False where the collector did not take it."""
        while spans := self._spans.take(TOGETHER):
            if not await self._send(spans):
                return False
        return True

    async def _send(self, spans: Sequence[Span]) -> bool:
        fault = ""
        try:
            answered = await self._caller.send(replace(self._asked, body=self._write(spans)))
        except asyncio.CancelledError:
            self._spans.give_back(spans)
            raise
        except OnhookError as failure:
            fault, is_refused = str(failure), False
        except Exception as failure:  # noqa: BLE001 - what cannot be written must not keep back what can
            telemetry.emit_fault(failure, "spans")
            fault, is_refused = type(failure).__name__, True
        else:
            is_refused = answered.status not in _LATER
            fault = "" if answered.status in _TAKEN else f"it answered {answered.status}"
        if not fault:
            telemetry.SPANS.labels("sent").inc(len(spans))
        elif is_refused:
            telemetry.SPANS.labels("dropped").inc(len(spans))
        else:
            self._spans.give_back(spans)
        self._tell(fault)
        return not fault

    def _tell(self, fault: str) -> None:
        """Say once that the collector is away, and once that it is back."""
        if fault and not self._is_lost:
            telemetry.emit(telemetry.Event.COLLECTOR_LOST, "warning", fault=fault)
        elif self._is_lost and not fault:
            telemetry.emit(telemetry.Event.COLLECTOR_FOUND)
        self._is_lost = bool(fault)


@asynccontextmanager
async def exported(said: Settings, clock: Clock, outgoing: Outgoing, instance: str) -> AsyncIterator[Spans]:
    """Give where spans are noted; while the block runs they are sent, where the settings say to whom.

    Args:
        said: the settings.
        clock: for the rests between.
        outgoing: how calls leave; to a collector on this machine without the proxy, which could not reach it.
        instance: the name of this process among all.
    """
    if not said.traces.endpoint:
        yield Spans()
        return
    spans, url = Spans(KEPT), urlsplit(said.traces.endpoint)
    origin = origin_in(f"{url.scheme}://{url.netloc}")
    headers = {name: value.get_secret_value() for name, value in said.traces.headers.items()}
    asked = Asked("POST", said.traces.endpoint, {"Content-Type": _PROTOBUF, "Accept": _PROTOBUF, **headers})
    way = outgoing if origin.scheme == "https" else replace(outgoing, proxy=None)
    caller = Caller([Rule("POST", origin, re.compile(re.escape(url.path).encode()), _any_body)], clock, way)
    exporter = Exporter(spans, writer(version(), instance), caller, clock, asked)
    running = asyncio.create_task(exporter.run())
    try:
        yield spans
    finally:
        running.cancel()
        await asyncio.wait({running})
        await exporter.finish()
        await caller.aclose()


def _any_body(_: bytes) -> bool:
    return True  # it is the collector's alone, and made by us
