"""The Grafana dashboard and the alert rules ask for metrics that a gateway has, and alerts fire when they should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import needed
import pytest
import requests
import yaml
from gateway_process import AUTH, GatewayProcess, eventually
from gateway_room import CALLED, SUBMIT
from made_docs import made_by
from postgres_server import held_port
from prometheus_client.parser import text_string_to_metric_families
from viewer_client import Viewer

from mm7zeep.client import VaspClient
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.gateway.store import rows

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "docs" / "deploy"
DASHBOARD = json.loads(DEPLOY.joinpath("grafana.json").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load(DEPLOY.joinpath("alerts.yml").read_text(encoding="utf-8"))
RULES = {rule["alert"]: rule for group in ALERTS["groups"] for rule in group["rules"]}
TARGETS = [(panel["title"], target) for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
QUERIES = {
    **{f"{title}, {target['refId']}": target["expr"] for title, target in TARGETS},
    **{name: rule["expr"] for name, rule in RULES.items()},
}
SCRAPED = {"job", "instance"}
"""Labels that Prometheus adds."""
VALUES = {
    ("mm7_kept_calls", "state"): {rows.READY, rows.LEASED, rows.DONE, rows.DEAD},
    ("mm7_calls_total", "outcome"): {"done", "retry", "dead", "pause"},
    ("mm7_subscriptions_total", "outcome"): {"made", "lost"},
}
"""What a label may be, where a query may name it."""


def make_dashboard() -> ModuleType:
    """docs/make_dashboard.py."""
    with made_by("make_dashboard") as module:
        return module


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The samples on the page of a gateway in which everything has happened once, with their labels."""
    viewer = Viewer(tmp_path_factory.mktemp("metrics"), CALLED)
    try:
        room = viewer.room
        with (
            serve_in_thread(room.gateway.asgi) as base,
            VaspClient(f"{base}/mm7", auth=("tnn", "t"), vaspid="TNN", vasid="News") as vasp,
        ):
            for _ in range(2):  # the second is known
                vasp.send(replace(SUBMIT, delivery_report=True), transaction_id="t-1")
            room.gateway.run_pending()
        counted = room.gateway.metrics
        counted.restarted("dispatcher")  # these need another process, or a fault
        counted.announced()
        counted.subscribed("made")
        shown = viewer.client.get("/metrics", auth=("ops", "pw")).text
    finally:
        viewer.close()
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(shown):
        # of what the database holds none of, the page has the name alone
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
        if not family.samples:
            found.setdefault(family.name, set())
    return found


EMPTY = {"mm7_kept_opt_outs": {"application"}, "mm7_kept_calls_waiting_for_rate": {"rate"}}
"""Labels of what the page may have no sample of; tests of opt-outs and rates see them."""


class Selector(NamedTuple):
    """A metric in a query, and what it says of labels."""

    metric: str
    labels: dict[str, str]


def selectors(query: str) -> list[Selector]:
    """The metrics that a query names."""
    found = re.finditer(r"\b(up|mm7_\w+)\b(?:\{([^}]*)\})?", query)
    return [Selector(m[1], dict(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"', m[2] or ""))) for m in found]


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_names_what_there_is(name: str, metrics: dict[str, set[str]]) -> None:
    """Metrics, labels and their values in a query are those of a gateway, and so are the labels it groups by."""
    query = QUERIES[name]
    known = {**metrics, "up": set()}
    assert selectors(query)
    for metric, labels in selectors(query):
        assert metric in known
        assert set(labels) <= known[metric] | SCRAPED | EMPTY.get(metric, set())
        for label, value in labels.items():
            if (metric, label) in VALUES:
                assert set(value.split("|")) <= VALUES[metric, label]
    grouped = {word for by in re.findall(r"\bby \(([^)]*)\)", query) for word in by.split(", ")}
    for metric, _ in selectors(query):
        if metric not in ("up", "mm7_database_up"):
            assert grouped <= known[metric] | SCRAPED | EMPTY.get(metric, set())
    assert "{job=" in query or name in RULES


def test_nothing_is_left_out(metrics: dict[str, set[str]]) -> None:
    """Everything that a gateway counts is on the dashboard."""
    asked = {one.metric for _, target in TARGETS for one in selectors(target["expr"])}
    series = {re.sub(r"_(count|sum|bucket)$", "", name) for name in metrics if not name.endswith("_created")}
    assert {re.sub(r"_bucket$", "", name) for name in asked} == series


def test_documented(metrics: dict[str, set[str]]) -> None:
    """docs/gateway.md has a row for each metric."""
    page = ROOT.joinpath("docs", "gateway.md").read_text(encoding="utf-8")
    series = {re.sub(r"_(count|sum|bucket)$", "", name) for name in metrics if not name.endswith("_created")}
    assert [name for name in sorted(series) if f"`{name}`" not in page] == []


def test_dashboard_is_made() -> None:
    """docs/deploy/grafana.json is what docs/make_dashboard.py makes."""
    assert DEPLOY.joinpath("grafana.json").read_text(encoding="utf-8") == make_dashboard().text()


def test_panels() -> None:
    """Panels have ids and places of their own, explain themselves, and show a legend of labels that they group by."""
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert panel["type"] == "row" or (panel["description"] and panel["targets"])
    for _, target in TARGETS:
        named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        grouped = {word for by in re.findall(r"\bby \(([^)]*)\)", target["expr"]) for word in by.split(", ")}
        assert named <= grouped


def test_alerts_explain_themselves() -> None:
    """Each alert has a severity, says what is the matter and what to do, and has a case below."""
    for rule in RULES.values():
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert rule["annotations"].keys() == {"summary", "description"}
    assert {case.alert for case in CASES} == set(RULES)
    assert {case.alert for case in CASES if case.firing} == set(RULES)
    assert {case.alert for case in CASES if not case.firing} == set(RULES)


class Case(NamedTuple):
    """Series from minute 0 on, as promtool writes them; the labels of an alert that fires at a minute, or None."""

    alert: str
    series: dict[str, str]
    minute: int
    firing: dict[str, str] | None


HERE = {"job": "mm7zeep", "instance": "a"}
CASES = [
    Case("Mm7GatewayDown", {'up{job="mm7zeep",instance="a"}': "1 1 1 0x9"}, 5, HERE),
    Case("Mm7GatewayDown", {'up{job="mm7zeep",instance="a"}': "1 1 1 0 1x9"}, 5, None),
    Case("Mm7GatewayDown", {'up{job="other"}': "1x9"}, 5, {"job": "mm7zeep"}),
    Case("Mm7DatabaseDown", {'mm7_database_up{job="mm7zeep",instance="a"}': "1 0x9"}, 5, HERE),
    Case("Mm7DatabaseDown", {'mm7_database_up{job="mm7zeep",instance="a"}': "1 0 1x9"}, 5, None),
    Case("Mm7RefusedForWantOfRoom", {'mm7_answers_total{job="mm7zeep",http="503"}': "0+6x30"}, 12, {"job": "mm7zeep"}),
    Case("Mm7RefusedForWantOfRoom", {'mm7_answers_total{job="mm7zeep",http="200"}': "0+6x30"}, 12, None),
    Case("Mm7RefusedForWantOfRoom", {'mm7_answers_total{job="mm7zeep",http="503"}': "3 4 4x30"}, 12, None),
    Case(
        "Mm7OutboxFilling",
        {  # two gateways tell of one database
            'mm7_kept_calls{job="mm7zeep",instance="a",state="ready"}': "90000x30",
            'mm7_kept_calls{job="mm7zeep",instance="b",state="ready"}': "99990x30",
            'mm7_kept_calls{job="mm7zeep",instance="a",state="leased"}': "20x30",
        },
        15,
        {"job": "mm7zeep"},
    ),
    Case(
        "Mm7OutboxFilling",
        {
            'mm7_kept_calls{job="mm7zeep",instance="a",state="ready"}': "60000x30",
            'mm7_kept_calls{job="mm7zeep",instance="b",state="ready"}': "60000x30",
            'mm7_kept_calls{job="mm7zeep",instance="b",state="done"}': "900000x30",
        },
        15,
        None,
    ),
    Case(
        "Mm7DeadLetters",  # the first of all
        {'mm7_database_up{job="mm7zeep"}': "1x90", 'mm7_kept_calls{job="mm7zeep",state="dead"}': "_x39 1x50"},
        45,
        {"job": "mm7zeep"},
    ),
    Case(
        "Mm7DeadLetters",  # one more
        {'mm7_database_up{job="mm7zeep"}': "1x90", 'mm7_kept_calls{job="mm7zeep",state="dead"}': "5x39 6x50"},
        45,
        {"job": "mm7zeep"},
    ),
    Case(
        "Mm7DeadLetters",  # known for long
        {'mm7_database_up{job="mm7zeep"}': "1x90", 'mm7_kept_calls{job="mm7zeep",state="dead"}': "5x90"},
        45,
        None,
    ),
    Case(
        "Mm7EndpointPaused",
        {'mm7_calls_total{job="mm7zeep",owner="tnn",outcome="pause"}': "_x19 1x50"},
        22,
        {"job": "mm7zeep", "owner": "tnn"},
    ),
    Case(
        "Mm7EndpointPaused",
        {'mm7_calls_total{job="mm7zeep",owner="tnn",outcome="pause"}': "1x19 2x50"},
        22,
        {"job": "mm7zeep", "owner": "tnn"},
    ),
    Case("Mm7EndpointPaused", {'mm7_calls_total{job="mm7zeep",owner="tnn",outcome="pause"}': "1x50"}, 45, None),
    Case(
        "Mm7CallsFail",
        {
            'mm7_calls_total{job="mm7zeep",owner="tnn",outcome="retry"}': "0+6x60",
            'mm7_calls_total{job="mm7zeep",owner="tnn",outcome="done"}': "0+2x60",
            'mm7_calls_total{job="mm7zeep",owner="abc",outcome="done"}': "0+90x60",
        },
        40,
        {"job": "mm7zeep", "owner": "tnn"},
    ),
    Case(
        "Mm7CallsFail",
        {
            'mm7_calls_total{job="mm7zeep",owner="tnn",outcome="retry"}': "0+2x60",
            'mm7_calls_total{job="mm7zeep",owner="tnn",outcome="done"}': "0+6x60",
        },
        40,
        None,
    ),
    Case(
        "Mm7Faults",
        {
            'mm7_answers_total{job="mm7zeep",status="3000"}': "0+1x60",
            'mm7_answers_total{job="mm7zeep",status="1000"}': "0+9x60",
        },
        40,
        {"job": "mm7zeep"},
    ),
    Case(
        "Mm7Faults",
        {
            'mm7_answers_total{job="mm7zeep",status="2004"}': "0+9x60",
            'mm7_answers_total{job="mm7zeep",status="1000"}': "0+9x60",
        },
        40,
        None,
    ),
    Case(
        "Mm7Slow",
        {
            'mm7_answer_seconds_bucket{job="mm7zeep",le="2.5"}': "0+6x60",
            'mm7_answer_seconds_bucket{job="mm7zeep",le="10"}': "0+9x60",
            'mm7_answer_seconds_bucket{job="mm7zeep",le="+Inf"}': "0+9x60",
        },
        20,
        {"job": "mm7zeep"},
    ),
    Case(
        "Mm7Slow",
        {
            'mm7_answer_seconds_bucket{job="mm7zeep",le="0.1"}': "0+99x60",
            'mm7_answer_seconds_bucket{job="mm7zeep",le="+Inf"}': "0+100x60",
        },
        20,
        None,
    ),
    Case("Mm7WrongPasswords", {'mm7_answers_total{job="mm7zeep",http="401"}': "0+90x60"}, 15, {"job": "mm7zeep"}),
    Case("Mm7WrongPasswords", {'mm7_answers_total{job="mm7zeep",http="401"}': "0+3x60"}, 15, None),
    Case("Mm7ClockHeld", {'mm7_clock_held{job="mm7zeep",instance="a"}': "0 1x30"}, 10, {"job": "mm7zeep"}),
    Case("Mm7ClockHeld", {'mm7_clock_held{job="mm7zeep",instance="a"}': "0 1 0x30"}, 10, None),
    Case(
        "Mm7ThreadRestarts",
        {'mm7_thread_restarts_total{job="mm7zeep",thread="dispatcher"}': "_x19 1x50"},
        22,
        {"job": "mm7zeep", "thread": "dispatcher"},
    ),
    Case("Mm7ThreadRestarts", {'mm7_thread_restarts_total{job="mm7zeep",thread="dispatcher"}': "1x50"}, 45, None),
    Case(
        "Mm7SubscriptionLost",
        {'mm7_subscriptions_total{job="mm7zeep",outcome="lost"}': "0+1x30"},
        20,
        {"job": "mm7zeep"},
    ),
    Case(
        "Mm7SubscriptionLost",
        {
            'mm7_subscriptions_total{job="mm7zeep",outcome="lost"}': "1x9 2x30",
            'mm7_subscriptions_total{job="mm7zeep",outcome="made"}': "0+1x30",
        },
        20,
        None,
    ),
]


def require(program: str) -> str:
    """Where a program of Prometheus is."""
    return needed.program(program, "prometheus")


def promtool(*words: str | Path) -> str:
    """What promtool says; it has to be content."""
    done = subprocess.run([require("promtool"), *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.once
def test_alerts_fire(tmp_path: Path) -> None:
    """Each alert fires for the series that it is for, with the labels that tell whose it is, and for no others."""
    tests = []
    for case in CASES:
        name = f'ALERTS{{alertname="{case.alert}", alertstate="firing"}}'
        labels = {
            "alertname": case.alert,
            "alertstate": "firing",
            "severity": RULES[case.alert]["labels"]["severity"],
            **(case.firing or {}),
        }
        sample = {"labels": f"ALERTS{json.dumps(labels)}".replace('": "', '="').replace(', "', ", "), "value": 1}
        sample["labels"] = str(sample["labels"]).replace('{"', "{")
        tests.append(
            {
                "name": case.alert,
                "interval": "1m",
                "input_series": [{"series": one, "values": values} for one, values in case.series.items()],
                "promql_expr_test": [
                    {"expr": name, "eval_time": f"{case.minute}m", "exp_samples": [sample] if case.firing else []}
                ],
            }
        )
    file = tmp_path / "cases.yml"
    file.write_text(
        yaml.safe_dump({"rule_files": [str(DEPLOY / "alerts.yml")], "evaluation_interval": "1m", "tests": tests})
    )
    assert "SUCCESS" in promtool("test", "rules", file)


@pytest.mark.once
def test_queries_are_promql(tmp_path: Path) -> None:
    """Prometheus itself can read the rules, its configuration, and every query of the dashboard."""
    assert f"{len(RULES)} rules found" in promtool("check", "rules", DEPLOY / "alerts.yml")
    rules = [
        {"record": f"panel:{number}", "expr": target["expr"].replace("$__rate_interval", "1m").replace("$job", ".*")}
        for number, (_, target) in enumerate(TARGETS)
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"{len(TARGETS)} rules found" in promtool("check", "rules", file)
    promtool("check", "config", "--syntax-only", DEPLOY / "prometheus.yml")


@contextmanager
def prometheus(folder: Path, gateway: GatewayProcess, password: str, port: int) -> Iterator[Callable[[str], Any]]:
    """Prometheus with our configuration on a port of loopback, looking every second; asks its API."""
    program = require("prometheus")
    config = yaml.safe_load(DEPLOY.joinpath("prometheus.yml").read_text(encoding="utf-8"))
    [job] = config["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["127.0.0.1:8008"]}]
    job["static_configs"] = [{"targets": [f"127.0.0.1:{gateway.admin_port}"]}]
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    folder.joinpath("secrets").mkdir()
    folder.joinpath(job["basic_auth"]["password_file"]).write_text(password + "\n")
    shutil.copy(DEPLOY / "alerts.yml", folder)
    folder.joinpath("prometheus.yml").write_text(yaml.safe_dump(config))
    words = [program, f"--config.file={folder / 'prometheus.yml'}", f"--web.listen-address=127.0.0.1:{port}"]
    with folder.joinpath("log").open("wb") as log:
        process = subprocess.Popen(
            [*words, f"--storage.tsdb.path={folder / 'data'}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )

    def ask(path: str, **parameters: str) -> Any:
        answer = requests.get(f"http://127.0.0.1:{port}/api/v1/{path}", params=parameters, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def there() -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{port}/-/ready", timeout=10).ok
        except requests.ConnectionError:
            return False

    try:
        eventually(there, "Prometheus", 30)
        yield ask
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.processes
def test_prometheus_sees_a_gateway(tmp_path: Path) -> None:
    """Prometheus, set up as prometheus.yml says, is let in by a gateway; the panels of what happened have values."""
    require("prometheus")
    settings = {"admin_username": "operator", "admin_password": "operator-password"}
    with (
        held_port() as holder,
        GatewayProcess(tmp_path / "gateway", tables={"gateway": settings}) as gateway,
        prometheus(tmp_path, gateway, "operator-password", holder.getsockname()[1]) as ask,
    ):
        eventually(lambda: ask("query", query="mm7_database_up")["result"], "a first look", 30)
        with VaspClient(gateway.url, auth=AUTH, vaspid="TNN") as mmsc:
            until = time.monotonic() + 30
            query = next(target["expr"] for title, target in TARGETS if title == "Time to answer")
            query = query.replace("$__rate_interval", "30s").replace("$job", "mm7zeep")
            while True:
                mmsc.submit("+61491570156", ["Hello"])
                found = ask("query", query=query)["result"]
                if found and found[0]["value"][1] != "NaN":
                    break
                assert time.monotonic() < until, "no rate of answers"
                time.sleep(0.5)
        seen = {}
        for title, target in TARGETS:
            expr = target["expr"].replace("$__rate_interval", "30s").replace("$job", "mm7zeep")
            seen.setdefault(title, []).extend(ask("query", query=expr)["result"])
        # of what has not happened there is nothing to see
        assert {title for title, found in seen.items() if not found} <= {
            "Refusals by HTTP status", "Requests that came again", "Calls by kind", "Calls that failed",
            "Calls kept, by state", "Waiting for a rate", "Opted out", "Subscriptions to announcements",
            "Thread restarts",
        }  # fmt: skip
        assert [one["value"][1] for one in seen["Database"]] == ["1"]
        rules = ask("rules")["groups"][0]["rules"]
        assert {rule["name"] for rule in rules} == set(RULES)
        eventually(lambda: {rule["health"] for rule in ask("rules")["groups"][0]["rules"]} == {"ok"}, "rules")
        assert [one for one in ask("alerts")["alerts"] if one["state"] == "firing"] == []
