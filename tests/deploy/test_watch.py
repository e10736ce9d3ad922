"""What watches the service names metrics that there are; each alert fires when it should, and is silent otherwise."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from service import telemetry
from service.core import errors
from service.core import model as m
from service.core.wording.answers import TABLE
from service.store.health import Topic
from service.web import problems
from tests.needs import needs

WATCH = Path(__file__).parents[2] / "deploy" / "watch"
RULES: dict[str, Any] = yaml.safe_load((WATCH / "onhook.rules.yml").read_text(encoding="utf-8"))
BOARD: dict[str, Any] = json.loads((WATCH / "grafana/dashboards/onhook.json").read_text(encoding="utf-8"))
ALL = [rule for group in RULES["groups"] for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in ALL if "alert" in rule}
RECORDED = {rule["record"] for rule in ALL if "record" in rule}
DRAWN = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
EXPRESSIONS = [*(rule["expr"] for rule in ALL), *DRAWN]

# PromQL as far as we write it
WORDS = {"sum", "min", "max", "by", "or", "and", "unless", "offset", "increase", "rate", "time", "absent"}
WORDS |= {"max_over_time", "histogram_quantile"}
TOKEN = re.compile(
    r'\s+|"(?:[^"\\]|\\.)*"|\[\d+[mhd]\]|\d+(?:\.\d+)?[mhd]?(?![\w.])|[A-Za-z_:][\w:]*|=~|!~|!=|==|>=|<=|[-+*/<>=(){},]'
)
CLOSES = {")": "(", "}": "{"}
OF_PROMETHEUS = {"le", "job", "instance"}  # labels that are not ours to name


def _metrics() -> dict[str, set[str]]:
    """Return by the name of each series that is scraped the names of its labels."""
    found: dict[str, set[str]] = {"up": set()}
    for one in vars(telemetry).values():
        if isinstance(one, Counter | Gauge | Histogram):
            name, labels = str(vars(one)["_name"]), set(vars(one)["_labelnames"])
            ends = {Counter: ("_total",), Histogram: ("_bucket", "_count", "_sum"), Gauge: ("",)}[type(one)]
            found |= {f"{name}{end}": labels for end in ends}
    return found


def _codes(kind: type[errors.Refused] = errors.Refused) -> Iterator[str]:
    for one in kind.__subclasses__():
        yield one.code
        yield from _codes(one)


METRICS = _metrics()
VALUES: Mapping[str, set[str]] = {
    "outcome": {kind.value for kind in m.OutcomeKind},
    "topic": {topic.value for topic in Topic},
    "status": {telemetry.class_of(status) for status in (None, 1, 200, 300, 400, 429, 500)},
    "kind": {"removals", "reports"},
    "source": {problems.UNKNOWN_SOURCE},
    "job": {"onhook"},
    "cause": {row.name for row in TABLE} | {"no_effect", "guarded", "poison"},
    "result": {"accepted", "duplicate", "ignored", "told", "delayed", "dead", *_codes()}
    | {one.code for one in vars(problems).values() if isinstance(one, problems.Problem)},
}


def faults_in(expression: str) -> list[str]:
    """Return what is wrong with a PromQL expression, as far as it can be seen without Prometheus."""
    found, at, opened = [], 0, list[str]()
    while at < len(expression):
        token = TOKEN.match(expression, at)
        if token is None:
            return [f"no PromQL: {expression[at : at + 20]}"]
        at, word = token.end(), token[0]
        if word in "({":
            opened.append(word)
        elif word in CLOSES and (not opened or opened.pop() != CLOSES[word]):
            found.append(f"closes nothing: {word}")
        elif re.fullmatch(r"[A-Za-z_:][\w:]*", word):
            labels = set.union(OF_PROMETHEUS, *METRICS.values())
            if word not in {*WORDS, *METRICS, *RECORDED, *labels}:
                found.append(f"unknown: {word}")
    found += [f"not closed: {one}" for one in opened]
    for name, selector in re.findall(r"([\w:]+)\{([^}]*)\}", expression):
        for label, value in re.findall(r'(\w+)(?:=~|!~|!=|=)"([^"]*)"', selector):
            if label not in METRICS.get(name, {"org"}) | OF_PROMETHEUS:
                found.append(f"{name} has no {label}")
            said = set(re.findall(r"[a-z0-9_]{2,}", value)) if "$" not in value else set()
            if label in VALUES and said - VALUES[label]:
                found.append(f"{label} is never {said - VALUES[label]}")
    return found


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_expression_asks_for_what_there_is(expression: str) -> None:
    """Rules and dashboard are PromQL, over metrics, labels and values of labels that the code has."""
    assert faults_in(expression) == []


@pytest.mark.parametrize(
    "expression, fault",
    [
        ("sum(onhook_gone_total)", "unknown: onhook_gone_total"),
        ("sum(onhook_outcomes_total", "not closed: ("),
        ("up}", "closes nothing: }"),
        ("up ; up", "no PromQL: ; up"),
        ('onhook_outcomes_total{outcome="gone"}', "outcome is never {'gone'}"),
        ('onhook_outcomes_total{cause="x"}', "onhook_outcomes_total has no cause"),
    ],
)
def test_what_is_wrong_is_seen(expression: str, fault: str) -> None:
    """The check objects to what is not there: it can fail."""
    assert fault in faults_in(expression)


def test_every_metric_is_watched() -> None:
    """Each metric stands in a panel of the dashboard: none is counted for nobody."""
    asked = " ".join([*DRAWN, *(rule["expr"] for rule in ALL if "record" in rule)])
    assert [name for name in telemetry.metric_names() if name not in asked] == []


def test_the_dashboard_can_be_drawn() -> None:
    """Each panel has its own place on the grid and an expression, and asks the data source that is provisioned."""
    sources = yaml.safe_load((WATCH / "grafana/provisioning/datasources/prometheus.yml").read_text(encoding="utf-8"))
    (source,) = sources["datasources"]
    cells: list[tuple[int, int]] = []
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells += [(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + 8)]
        assert panel["title"]
        assert panel["targets"]
        assert (panel["datasource"]["uid"], panel["datasource"]["type"]) == (source["uid"], source["type"])
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    provider = yaml.safe_load((WATCH / "grafana/provisioning/dashboards/onhook.yml").read_text(encoding="utf-8"))
    assert provider["providers"][0]["options"]["path"]


def test_one_alert_wakes_somebody() -> None:
    """A lost bystander is the one page; everything else is a ticket, and each says in words what is the matter."""
    severities = {name: rule["labels"]["severity"] for name, rule in ALERTS.items()}
    assert {name for name, severity in severities.items() if severity == "page"} == {"OnhookBystanderLost"}
    assert set(severities.values()) == {"page", "ticket"}
    assert all(rule["annotations"]["summary"] for rule in ALERTS.values())


def test_prometheus_knows_where() -> None:
    """The example scrapes under the job that the rules ask for, at our doors, and loads the rules."""
    said = yaml.safe_load((WATCH / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = said["scrape_configs"]
    assert job["job_name"] == "onhook"
    assert job["static_configs"][0]["targets"] == ["127.0.0.1:8081", "127.0.0.1:8082"]
    assert all((WATCH / name).exists() for name in said["rule_files"])


# By alert: series as promtool writes them, a value a minute; the minute of the look; series with which it is silent.
# `_` is a moment at which a series was not there, `a+bxn` rises n times.
Story = tuple[dict[str, str], int, dict[str, str]]
CLAIMS = 'onhook_last_claim_timestamp_seconds{org="acme"}'
ALIVE = {CLAIMS: "0+60x5000"}


def _settled(count: str, fast: str) -> dict[str, str]:
    """Two processes' histogram: all clicks, and those within ten seconds."""
    names = {"count": count, "bucket": fast}
    return ALIVE | {
        f'onhook_settle_seconds_{name}{{org="acme",outcome="disconnected"{le},instance="{one}"}}': names[name]
        for name, le in (("count", ""), ("bucket", ',le="10.0"'))
        for one in ("a", "b")
    }


def _delivered(source: str, **results: str) -> dict[str, str]:
    return {f'onhook_deliveries_total{{source="{source}",result="{result}"}}': v for result, v in results.items()}


STORIES: dict[str, list[Story]] = {
    "OnhookBystanderLost": [
        (
            {'onhook_bystanders_lost_total{org="acme"}': "0x30 1x5"},
            32,
            {'onhook_bystanders_lost_total{org="acme"}': "7x60"},
        ),
        # the first count of a process that lost somebody before it was scraped
        (
            {'onhook_bystanders_lost_total{org="acme"}': "_x30 1x5"},
            32,
            {'onhook_bystanders_lost_total{org="acme"}': "_x30 0x5"},
        ),
    ],
    "OnhookUnknown": [
        (
            {'onhook_outcomes_total{org="acme",outcome="unknown"}': "0x30 1x5"},
            32,
            {'onhook_outcomes_total{org="acme",outcome="disconnected"}': "0+9x60"},
        )
    ],
    "OnhookCannotAct": [
        (
            {f'onhook_failures_total{{org="acme",cause="{cause}"}}': "_x30 1x5"},
            31,
            {'onhook_failures_total{org="acme",cause="genesys_refused.conflict"}': "0+1x60"},
        )
        for cause in ("forbidden.permission", "genesys_refused.no_route", "rejected.login", "forbidden.division")
    ],
    "OnhookNoEffect": [
        (
            {f'onhook_failures_total{{org="acme",cause="{cause}"}}': "_x30 1x5"},
            31,
            {'onhook_failures_total{org="acme",cause="forbidden.permission"}': "0+1x60"},
        )
        for cause in ("no_effect.accepted", "poison", "guarded.silent")
    ],
    # of a hundred clicks a minute twenty are slow; or one in two hundred, for ever
    "OnhookSlow": [(_settled("0+100x90", "0+80x90"), 70, _settled("0+200x90", "0+199x90"))],
    # half-hours here, and an hour between looks: three days by the minute take a minute and a half
    "OnhookSlowForDays": [(_settled("0+3000x150", "0+2940x150"), 74, _settled("0+3000x150", "0+2985x150"))],
    "OnhookSourceRefused": [
        (_delivered("desk", unauthorized="0+1x60"), 30, _delivered("desk", unauthorized="0+1x60", accepted="0+1x60")),
        (_delivered("desk", unreadable="0+1x60"), 30, _delivered("unknown", unauthorized="0+100x60")),
        (_delivered("desk", malformed="0+1x60"), 30, _delivered("desk", store_down="0+1x60")),
    ],
    "OnhookConflict": [(_delivered("desk", delivery_conflict="_x30 1x5"), 31, _delivered("desk", duplicate="0+1x60"))],
    "OnhookTurnsAway": [
        (_delivered("desk", **{code: "_x30 1+1x9"}), 34, _delivered("desk", unauthorized="0+1x60", draining="0+1x60"))
        for code in ("store_down", "backlog_full", "overloaded", "unexpected")
    ],
    "OnhookRunaway": [
        ({'onhook_runaways_total{source="desk"}': "0x30 1x5"}, 32, {'onhook_runaways_total{source="desk"}': "3x60"})
    ],
    "OnhookPaused": [
        (
            {'onhook_paused{org="acme",source="",instance="a"}': "0x9 1x90"},
            75,
            {'onhook_paused{org="acme",source="",instance="a"}': "0x9 1x50 0x40"},
        )
    ],
    "OnhookDeskAway": [
        (
            {'onhook_reports_total{source="desk",result="delayed"}': "0+1x60"},
            30,
            {f'onhook_reports_total{{source="desk",result="{result}"}}': "0+1x60" for result in ("delayed", "told")},
        )
    ],
    "OnhookDeadLetter": [
        (
            {'onhook_reports_total{source="desk",result="dead"}': "0x30 1x5"},
            32,
            {'onhook_reports_total{source="desk",result="told"}': "0+9x60"},
        )
    ],
    "OnhookDown": [({'up{job="onhook",instance="a"}': "1x9 0x9"}, 14, {'up{job="other",instance="a"}': "0x60"})],
    "OnhookNotReady": [
        (
            {'onhook_faults{topic="reach",instance="a"}': "0x9 1x9"},
            14,
            {'onhook_faults{topic="clock",instance="a"}': "1x60"},
        )
    ],
    "OnhookClock": [
        (
            {'onhook_faults{topic="clock",instance="a"}': "0x9 1x9"},
            14,
            {'onhook_faults{topic="reach",instance="a"}': "1x60"},
        )
    ],
    "OnhookNoClaims": [
        ({CLAIMS: "0+60x9 540x20"}, 15, ALIVE),
        ({}, 5, ALIVE | {f'{CLAIMS[:-1]},instance="dead"}}': "0x60"}),
    ],
    "OnhookOverdue": [
        (
            {'onhook_overdue_seconds{org="acme",kind="removals"}': "0x9 20x9"},
            14,
            {'onhook_overdue_seconds{org="acme",kind="removals"}': "8x60"},
        )
    ],
    "OnhookBacklog": [
        ({'onhook_open_actions{org="acme"}': "0x9 300x9"}, 14, {'onhook_open_actions{org="acme"}': "150x60"})
    ],
    "OnhookBudgetSpent": [
        (
            {'onhook_budget_calls{org="acme"}': "9x9 0x20"},
            20,
            {'onhook_budget_calls{org="acme"}': "9x9 0x3 1x1 0x3 1x60"},
        )
    ],
    "OnhookGenesysUnwell": [
        (
            {
                f'onhook_genesys_seconds_count{{org="acme",call="look",status="{status}"}}': f"0+{count}x60"
                for status, count in (("none", 3), ("5xx", 3), ("2xx", 4))
            },
            20,
            {
                f'onhook_genesys_seconds_count{{org="acme",call="look",status="{status}"}}': f"0+{count}x60"
                for status, count in (("none", 1), ("429", 3), ("2xx", 4))
            },
        )
    ],
    "OnhookLeasesLost": [
        ({'onhook_leases_lost_total{org="acme"}': "0+1x60"}, 30, {'onhook_leases_lost_total{org="acme"}': "0x30 1x30"})
    ],
}


IN_HOURS = "OnhookSlowForDays"


def _run(promtool: str, *asked: str) -> None:
    ran = subprocess.run([promtool, *asked], capture_output=True, text=True, check=False, timeout=100)
    assert ran.returncode == 0, f"{ran.stdout}{ran.stderr}"


def _told(name: str, number: int, series: Mapping[str, str], minute: int, *, fires: bool) -> dict[str, Any]:
    """Return one test for promtool: whether the alert fires at a minute."""
    rest = {} if name == "OnhookNoClaims" or CLAIMS in series else ALIVE  # else the missing worker fires beside it
    asked = f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) > bool 0 or vector(0)'
    return {
        "name": f"{name} {number} {'fires' if fires else 'is silent'}",
        "interval": "30m" if name == IN_HOURS else "1m",
        "input_series": [{"series": one, "values": values} for one, values in (rest | dict(series)).items()],
        "promql_expr_test": [
            {
                "expr": asked,
                "eval_time": f"{minute}{'h' if name == IN_HOURS else 'm'}",
                "exp_samples": [{"labels": "{}", "value": int(fires)}],
            }
        ],
    }


def _stories(names: Sequence[str]) -> Iterator[dict[str, Any]]:
    for name in names:
        for number, (loud, minute, quiet) in enumerate(STORIES[name]):
            yield _told(name, number, loud, minute, fires=True)
            yield _told(name, number, quiet, minute, fires=False)


def test_every_alert_fires(tmp_path: Path) -> None:
    """By Prometheus' own tool: rules and example are valid; each alert fires in its stories, and not otherwise."""
    promtool = needs("promtool")
    assert set(STORIES) == set(ALERTS)
    _run(promtool, "check", "config", str(WATCH / "prometheus.yml"))
    files = []
    for group in RULES[
        "groups"
    ]:  # each with its stories alone: else three quarters of the time are other groups' rules
        rules = tmp_path / f"{group['name']}.rules.yml"
        rules.write_text(yaml.safe_dump({"groups": [group]}), encoding="utf-8")
        names = [rule["alert"] for rule in group["rules"] if "alert" in rule]
        for pace, told in (
            ("1m", [one for one in names if one != IN_HOURS]),
            ("1h", [IN_HOURS] if IN_HOURS in names else []),
        ):
            said = {"rule_files": [str(rules)], "evaluation_interval": pace, "tests": list(_stories(told))}
            files.append(tmp_path / f"{group['name']} {pace}.yml")
            files[-1].write_text(yaml.safe_dump(said), encoding="utf-8")
    _run(promtool, "test", "rules", *map(str, files))
