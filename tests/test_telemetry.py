"""What leaves the process about itself: one line of JSON each, with nobody's number and no control character in it."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from service import telemetry
from service.telemetry import Event

ROOT = Path(__file__).parents[1]


class Log(io.BytesIO):
    """A log that is read as it was written."""

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every line, each a JSON object of its own."""
        return [json.loads(line) for line in self.getvalue().decode().splitlines()]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Leave the logging of the test run as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def log() -> Log:
    """Give a log that everything is written to."""
    made = Log()
    telemetry.configure("debug", made)
    return made


# --- masking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, kept",
    [
        ("call +14155550123 now", "call …0123 now"),
        ("tel:+14155550123;ext=7", "tel:…0123;ext=7"),
        ("+1 415 555-0123", "…0123"),
        ("+1 (415) 555.01.23, then", "…0123, then"),
        ("+14155550123x", "…0123x"),
        ("+123456789012345678", "…5678"),
        ("+1234567+7654321", "…4567…4321"),
        ("+123456", "+123456"),
        ("4155550123", "4155550123"),
        ("+49 151/2345 6789, twice", "…6789, twice"),
        ("+49 (0)151 - 2345678", "…5678"),
        ("+1\u00a0(415)\u202f555\u20110123", "…0123"),
        ("\uff0b 14155550123", "…0123"),
        ("or 0049 151 23456789.", "or …6789."),
        ("(415) 555-0123, 415.555.0124 (415)555-0125", "…0123, …0124 …0125"),
        ("00123456-7890-4123-8abc-123456789012", "00123456-7890-4123-8abc-123456789012"),
        ("2026-11-26 07:15:21, 1.22.333.4444, INC0010112345", "2026-11-26 07:15:21, 1.22.333.4444, INC0010112345"),
        ("2026-11-20T09:00:00+00:00", "2026-11-20T09:00:00+00:00"),
        ("-400 s, +400 s: 300 are allowed", "-400 s, +400 s: 300 are allowed"),
        ("a\nb\x00c\u2028d\x85e\udfff", "a�b�c�d�e�"),
        ("\u202egnp.exe\u2066\u061c\u200b\ufeff", "�gnp.exe����"),
        ("ä–’", "ä–’"),
        ("x" * 301, "x" * 300),
        ("x" * 299 + "+14155550123", "x" * 299 + "…"),
    ],
)
def test_masked(text: str, kept: str) -> None:
    """A number is down to its last four, control characters are replaced, and what is long is cut."""
    assert telemetry.masked(text) == kept


@given(st.text())
def test_masked_fits_in_a_log(text: str) -> None:
    """Whatever the text, it is short and can be encoded, and masking it again changes nothing but its end."""
    kept = telemetry.masked(text)
    assert len(kept) <= 300
    assert kept.encode().decode() == kept
    assert not re.search(r"[\x00-\x1f\x7f]", kept)


# --- lines -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", Event)
def test_every_event_is_one_line(log: Log, event: Event) -> None:
    """Each event is one JSON object on one line, with its moment and its level."""
    telemetry.emit(event, org="acme", note="two\nlines", caller="+14155550123")
    (line,) = log.lines
    assert re.fullmatch(r"[a-z]+\.[a-z]+", line["event"])
    assert (line["event"], line["level"], line["org"]) == (event.value, "info", "acme")
    assert (line["note"], line["caller"]) == ("two�lines", "…0123")
    assert re.fullmatch(r"[0-9T:.-]+Z", line["timestamp"])


def test_every_event_is_emitted() -> None:
    """No event is only a name: each is written somewhere in the service."""
    text = "".join(path.read_text() for path in (ROOT / "service").rglob("*.py"))
    assert [event.name for event in Event if f"Event.{event.name}" not in text] == []


@pytest.mark.parametrize(
    "value, written",
    [
        (None, None),
        (True, True),
        (1.5, 1.5),
        (float("nan"), None),
        (7, 7),
        (2**70, str(2**70)),
        ("\ud800", "�"),
        (["+14155550123", ("a\n",)], ["…0123", ["a�"]]),
        ({"+14155550123": {1: 2}}, {"…0123": {"1": 2}}),
        (frozenset({"a"}), ["a"]),
        (b"\xff", "b'\\xff'"),
        (Path("/x"), "/x"),
        (Event.LEASE_LOST, "lease.lost"),
    ],
)
def test_any_field(log: Log, value: object, written: object) -> None:
    """Whatever is passed as a field comes out as JSON, masked however deep it stands."""
    telemetry.emit(Event.STORE_FOUND, field=value)
    assert log.lines[0]["field"] == written


def test_bound_context(log: Log) -> None:
    """What was bound to the context stands in each line of it."""
    with structlog.contextvars.bound_contextvars(attempt=3):
        telemetry.emit(Event.STORE_LOST, "error")
    assert (log.lines[0]["attempt"], log.lines[0]["level"]) == (3, "error")


@pytest.mark.parametrize(
    "level, ours, theirs",
    [
        ("debug", ["debug", "info", "warning", "error"], ["warning", "error"]),
        ("info", ["info", "warning", "error"], ["warning", "error"]),
        ("warning", ["warning", "error"], ["warning", "error"]),
        ("error", ["error"], ["error"]),
    ],
)
def test_levels(level: str, ours: list[str], theirs: list[str]) -> None:
    """The level set counts for our lines; of the libraries' lines none under a warning is written."""
    log = Log()
    telemetry.configure(level, log)
    for name in ("debug", "info", "warning", "error"):
        telemetry.emit(Event.STORE_LOST, name)
        getattr(logging.getLogger("httpx"), name)("GET %s", "/x")
    assert [line["level"] for line in log.lines if line["event"] == "store.lost"] == ours
    assert [line["level"] for line in log.lines if line["event"] == "httpx"] == theirs


@pytest.mark.parametrize("name", ["uvicorn.error", "httpx", "asyncio", "redis"])
def test_lines_of_libraries(log: Log, name: str) -> None:
    """What a library logs has the form of our lines, masked like them."""
    logging.getLogger(name).warning("caller %s\nhung up", "+14155550123")
    (line,) = log.lines
    assert (line["event"], line["level"], line["message"]) == (name, "warning", "caller …0123�hung up")
    assert re.fullmatch(r"[0-9T:.-]+Z", line["timestamp"])


def test_faults_of_libraries(log: Log) -> None:
    """An exception that a library logs is its type and its place, in the same line."""
    try:
        raise ValueError("secret")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("it broke")
    logging.getLogger("uvicorn.error").error("no exception", exc_info=(None, None, None))
    first, second = log.lines
    assert first["fault"] == "ValueError"
    assert re.fullmatch(r"tests/test_telemetry\.py:\d+", first["at"])
    assert "fault" not in second
    assert "secret" not in log.getvalue().decode()


def test_standard_error_is_the_default(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Lines go to standard error, and nothing to standard output."""
    telemetry.configure()
    telemetry.emit(Event.WORKER_STARTED)
    out, err = capfdbinary.readouterr()
    assert (out, json.loads(err)["event"]) == (b"", "worker.started")


class Terminal(io.BytesIO):
    """A log that a person reads as it is written."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_lines_on_a_terminal() -> None:
    """A person reads the same lines, in colours and without what is empty; what others wrote acts on no terminal."""
    log = Terminal()
    telemetry.configure("info", log)
    hostile = "\x1b[2J\x1b]0;owned\x07\u202e +14155550123\r\nforged"
    telemetry.emit(Event.ATTEMPT_ENDED, outcome="failed", reason="", rows=[], sends=0, operator=hostile)
    logging.getLogger("httpx").warning("caller %s", hostile)
    lines = re.sub("\x1b\\[[0-9;]*m", "", log.getvalue().decode()).splitlines()
    assert [re.sub(r"^[0-9T:.-]+Z ", "", line).split() for line in lines] == [
        ["[info", "]", "attempt.ended", "outcome=failed", "sends=0", "operator='�[2J�]0;owned��", "…0123��forged'"],
        ["[warning", "]", "httpx", "message='caller", "�[2J�]0;owned��", "…0123��forged'"],
    ]


class FullDisk(io.BytesIO):
    """A log that takes nothing more."""

    def write(self, _line: object) -> int:
        """Refuse."""
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        """Refuse."""
        raise OSError(28, "No space left on device")


def test_a_log_that_takes_no_more(log: Log, capfd: pytest.CaptureFixture[str]) -> None:
    """A full disk or a closed pipe under the log stops nobody who only wanted to say something."""
    log.close()
    telemetry.emit(Event.WORKER_STARTED)
    telemetry.configure("info", FullDisk())
    telemetry.emit(Event.WORKER_STARTED)
    logging.getLogger("httpx").warning("still here")
    assert capfd.readouterr().err == ""


# --- faults ----------------------------------------------------------------------------------------------------------


def fall() -> None:
    """Raise an exception, one frame below who catches it."""
    raise ValueError("of +14155550123")


def raised() -> ValueError:
    """Return an exception with a place."""
    with pytest.raises(ValueError, match="of") as caught:
        fall()
    return caught.value


def test_fault(log: Log) -> None:
    """A fault is written with its type, its masked message, its place, and where it was met."""
    telemetry.emit_fault(raised(), "acme.01")
    (line,) = log.lines
    assert (line["event"], line["level"], line["where"]) == ("fault.raised", "error", "acme.01")
    assert (line["fault"], line["message"]) == ("ValueError", "of …0123")
    assert re.fullmatch(r"tests/test_telemetry\.py:\d+", line["at"])


def test_fault_that_was_never_raised(log: Log) -> None:
    """A fault without a place is written without one."""
    telemetry.emit_fault(KeyError("x"), "")
    assert (log.lines[0]["fault"], log.lines[0]["at"]) == ("KeyError", "")


def test_faults_in_a_group(log: Log) -> None:
    """Of a group each fault is a line: the group says nothing."""
    telemetry.emit_fault(ExceptionGroup("outer", [raised(), ExceptionGroup("inner", [TypeError("x")])]), "worker")
    assert [line["fault"] for line in log.lines] == ["ValueError", "TypeError"]


# --- metrics ---------------------------------------------------------------------------------------------------------


def test_metric_names() -> None:
    """Every metric begins with onhook_, says what it counts, and can be scraped."""
    exposed = telemetry.exposition().decode()
    names = telemetry.metric_names()
    assert {"onhook_deliveries", "onhook_settle_seconds", "onhook_last_claim_timestamp_seconds"} <= set(names)
    for name, says in names.items():
        assert re.fullmatch(r"onhook_[a-z_]+", name)
        said = re.escape(says)
        assert re.search(rf"^# HELP {name}(_total)? {said}$", exposed, re.MULTILINE)


@pytest.mark.parametrize(
    "status, named",
    [
        (None, "none"),
        (200, "2xx"),
        (202, "2xx"),
        (301, "3xx"),
        (404, "4xx"),
        (429, "429"),
        (503, "5xx"),
        (199, "odd"),
        (600, "odd"),
        (999, "odd"),
    ],
)
def test_class_of(status: int | None, named: str) -> None:
    """Whatever a server answers, its class is one of a few words: nobody makes a metric grow."""
    assert telemetry.class_of(status) == named


def test_begin() -> None:
    """What a page or a ticket rests on stands at zero from the start: an alarm on what rises hears the first of it."""
    telemetry.begin(["new-org"], ["new-source"])
    value = telemetry.REGISTRY.get_sample_value
    assert value("onhook_bystanders_lost_total", {"org": "new-org"}) == 0
    assert value("onhook_reports_total", {"source": "new-source", "result": "dead"}) == 0
    assert value("onhook_outcomes_total", {"org": "new-org", "outcome": "unknown"}) == 0
