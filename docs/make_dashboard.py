"""Write docs/deploy/grafana.json: a dashboard of what /metrics counts, from the table ``ROWS``.

Counts of several gateways are added up; what the database holds, each of them tells, and the largest is shown. A test
compares the file with this, and each query with a gateway's metrics: run ``python docs/make_dashboard.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

TARGET = Path(__file__).parent / "deploy" / "grafana.json"

_JOB = 'job=~"$job"'
_DEAD = 'state="dead"'
_OPEN = 'state=~"ready|leased"'


class Panel(NamedTuple):
    """One panel: title, unit, queries with their legends, what it is good for, and from which value on it is red."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    says: str
    red: float | None = None
    stat: bool = False


def _rate(metric: str, *by: str, match: str = "") -> str:
    selector = ", ".join(filter(None, (_JOB, match)))
    return f"sum by ({', '.join(by)}) (rate({metric}{{{selector}}}[$__rate_interval]))"


def _kept(metric: str, *by: str, match: str = "") -> str:
    selector = ", ".join(filter(None, (_JOB, match)))
    return f"max by ({', '.join(by)}) ({metric}{{{selector}}})" if by else f"max({metric}{{{selector}}})"


def _quantile(share: float) -> str:
    return f"histogram_quantile({share}, {_rate('mm7_answer_seconds_bucket', 'le')})"


ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "At a glance",
        (
            Panel(
                "Database",
                "bool_yes_no",
                ((f"min(mm7_database_up{{{_JOB}}})", "answers"),),
                "Whether every gateway's database answers. Without it, submits are answered 503.",
                stat=True,
            ),
            Panel(
                "Dead letters",
                "short",
                ((f"{_kept('mm7_kept_calls', match=_DEAD)} or vector(0)", "dead"),),
                "Calls that were given up. The viewer says why; `mm7zeep replay` makes them again.",
                red=1,
                stat=True,
            ),
            Panel(
                "Calls to be made",
                "short",
                ((f"sum({_kept('mm7_kept_calls', 'state', match=_OPEN)}) or vector(0)", "waiting"),),
                "What is due, under way or planned. At [capacity] outbox, submits are answered 503.",
                red=100_000,
                stat=True,
            ),
            Panel(
                "Refused for want of room",
                "reqps",
                ((f'sum(rate(mm7_answers_total{{{_JOB}, http="503"}}[$__rate_interval])) or vector(0)', "503"),),
                "Disk, outbox, memory or connections are at their limits, or the database does not answer.",
                red=0.01,
                stat=True,
            ),
            Panel(
                "Clock held",
                "bool_yes_no",
                ((_kept("mm7_clock_held"), "held"),),
                "Whether a jump of the clock waits to be confirmed; until then nothing expires.",
                red=1,
                stat=True,
            ),
            Panel(
                "Thread restarts in a day",
                "short",
                ((f"sum(increase(mm7_thread_restarts_total{{{_JOB}}}[1d])) or vector(0)", "restarts"),),
                "Threads of the gateway that ended, and were started again; the log tells of what.",
                red=1,
                stat=True,
            ),
        ),
    ),
    (
        "Requests",
        (
            Panel(
                "Requests by operation",
                "reqps",
                ((_rate("mm7_answers_total", "operation"), "{{operation}}"),),
                'MM7 operations, and routes of the JSON API; "none" is what no operation could be read from.',
            ),
            Panel(
                "Answers by StatusCode",
                "reqps",
                ((_rate("mm7_answers_total", "status"), "{{status}}"),),
                "2xxx: the request was wrong. 3xxx: the gateway could not. mm7zeep explain CODE.",
            ),
            Panel(
                "Refusals by HTTP status",
                "reqps",
                ((_rate("mm7_answers_total", "http", match='http=~"[45].."'), "{{http}}"),),
                "401: a wrong password, or from a wrong address.",
            ),
            Panel(
                "Time to answer",
                "s",
                tuple((_quantile(share), f"{share:.0%}") for share in (0.5, 0.95, 0.99)),
                "From the head of a request to its answer, the message being on the disk.",
            ),
            Panel(
                "Median time by operation",
                "s",
                (
                    (
                        f"histogram_quantile(0.5, {_rate('mm7_answer_seconds_bucket', 'le', 'operation')})",
                        "{{operation}}",
                    ),
                ),
                "Which operations are slow.",
            ),
            Panel(
                "Requests that came again",
                "reqps",
                ((_rate("mm7_repeated_requests_total", "owner", "outcome"), "{{owner}} {{outcome}}"),),
                "answered: as the first time. reused: another request under an old TransactionID, taken as new.",
            ),
        ),
    ),
    (
        "Calls to applications and upstreams",
        (
            Panel(
                "Calls by kind",
                "reqps",
                ((_rate("mm7_calls_total", "kind"), "{{kind}}"),),
                "MO messages, reports, read replies, webhooks; submits to upstreams; media fetched.",
            ),
            Panel(
                "Calls that failed",
                "reqps",
                ((_rate("mm7_calls_total", "owner", "outcome", match='outcome!="done"'), "{{owner}} {{outcome}}"),),
                "retry: is made again. dead: given up. pause: the endpoint waits for an operator.",
            ),
            Panel(
                "Calls kept, by state",
                "short",
                ((_kept("mm7_kept_calls", "state"), "{{state}}"),),
                "done ones go with their messages ([retention]).",
            ),
            Panel(
                "Waiting for a rate",
                "short",
                ((_kept("mm7_kept_calls_waiting_for_rate", "rate"), "{{rate}}"),),
                "Calls that are due, and wait because of a [[rate]] or the rate of an upstream.",
            ),
        ),
    ),
    (
        "Messages",
        (
            Panel(
                "Copies by the state they reached",
                "ops",
                ((_rate("mm7_copies_total", "state"), "{{state}}"),),
                "One for each recipient.",
            ),
            Panel(
                "Messages kept",
                "short",
                ((_kept("mm7_kept_messages", "direction"), "{{direction}}"),),
                "Until [retention] removes them.",
            ),
            Panel(
                "Recipients kept, by state",
                "short",
                ((_kept("mm7_kept_recipients", "state"), "{{state}}"),),
                "Pending ones wait for their time, or for an upstream.",
            ),
            Panel(
                "Opted out",
                "short",
                ((_kept("mm7_kept_opt_outs", "application"), "{{application}}"),),
                "Subscribers who want nothing more of an application.",
            ),
        ),
    ),
    (
        "Processes",
        (
            Panel(
                "Announcements heard",
                "ops",
                ((_rate("mm7_announcements_total", "instance"), "{{instance}}"),),
                "Work that other processes announced (PostgreSQL).",
            ),
            Panel(
                "Subscriptions to announcements",
                "ops",
                ((_rate("mm7_subscriptions_total", "outcome"), "{{outcome}}"),),
                "lost: the connection ended; the process looks every poll until it is back.",
            ),
            Panel(
                "Thread restarts",
                "ops",
                ((_rate("mm7_thread_restarts_total", "thread"), "{{thread}}"),),
                "By the thread that ended.",
            ),
        ),
    ),
)


def text() -> str:
    """The whole file."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS:
        panels.append({"type": "row", "title": title, "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}, "collapsed": False})
        y += 1
        across, height = (6, 4) if row[0].stat else (3 if len(row) % 3 == 0 else 2, 8)
        for number, panel in enumerate(row):
            width = 24 // across
            place = {"x": number % across * width, "y": y + number // across * height, "w": width, "h": height}
            panels.append(_panel(panel, place))
        y += (len(row) + across - 1) // across * height
    for number, one in enumerate(panels, 1):
        one["id"] = number
    dashboard = {
        "title": "mm7zeep gateway",
        "uid": "mm7zeep-gateway",
        "tags": ["mm7zeep", "MM7", "MMS"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_DATASOURCE, _JOBS]},
        "panels": panels,
    }
    return json.dumps(dashboard, indent=1, ensure_ascii=False) + "\n"


_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_DATASOURCE = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}
_JOBS = {
    "name": "job",
    "label": "Job",
    "type": "query",
    "datasource": _SOURCE,
    "query": {"query": "label_values(mm7_database_up, job)", "refId": "job"},
    "refresh": 2,
    "includeAll": True,
    "multi": True,
    "current": {"text": "All", "value": "$__all"},
}


def _panel(panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.red is not None:
        steps.append({"color": "red", "value": panel.red})
    if panel.unit == "bool_yes_no" and panel.red is None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": 1}]
    return {
        "type": "stat" if panel.stat else "timeseries",
        "title": panel.title,
        "description": panel.says,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
        "options": (
            {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background", "graphMode": "none"}
            if panel.stat
            else {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
        ),
        "targets": [
            {"refId": chr(65 + number), "datasource": _SOURCE, "expr": query, "legendFormat": legend}
            for number, (query, legend) in enumerate(panel.queries)
        ],
    }


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
