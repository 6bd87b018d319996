"""Settings from the environment: a variable for each, before the file; what is wrong is told by the variable's name."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mm7zeep.cli import main
from mm7zeep.gateway.config import environment
from mm7zeep.gateway.config.load import ConfigError, demo_settings, load, read
from mm7zeep.gateway.config.settings import Place

FILE = """
[gateway]
mm7 = "127.0.0.1:8017"
workers = 2

[[application]]
name = "first"
password_file = "first.secret"

[[application]]
name = "second"
password = "quiet two"
opt_out = true

[[upstream]]
name = "far"
url = "https://far.example/mm7"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration with two applications and an upstream."""
    (tmp_path / "first.secret").write_text("quiet one\n")
    (tmp_path / "first.secret").chmod(0o600)
    path = tmp_path / "gateway.toml"
    path.write_text(FILE)
    path.chmod(0o600)
    return path


def problems(path: Path | None, **variables: str) -> tuple[str, ...]:
    """What is wrong with a configuration, where these variables are given without their prefix."""
    with pytest.raises(ConfigError) as raised:
        load(path, prefixed(variables))
    return raised.value.problems


def prefixed(variables: dict[str, str]) -> dict[str, str]:
    """Variables as the environment has them."""
    return {f"MM7ZEEP_{name}": text for name, text in variables.items()}


def test_variables_go_before_the_file(file: Path) -> None:
    """What a variable says counts, in every form that a value may have; all else is as the file has it."""
    settings = load(
        file,
        prefixed(
            {
                "GATEWAY_MM7": "127.0.0.1:8027",
                "GATEWAY_ALLOW_INTERNAL": "true",
                "GATEWAY_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1",
                "GATEWAY_DATABASE": "postgresql+psycopg://u:p@db/mm7",
                "GATEWAY_RELAY_ID": "",
                "DELIVERY_TIMEOUT": "2m",
                "DELIVERY_SPREAD": "0.5",
                "DELIVERY_WAITS": "5s,30,1m",
                "RETENTION_DAYS": "unlimited",
                "LIMITS_DEPTH": "7",
                "APPLICATION_1_PASSWORD": "from the environment",
                "APPLICATION_2_VASIDS": '["News, Sport", "b"]',
                "APPLICATION_2_FAULT_STATUS": "200",
                "APPLICATION_2_CALLBACK_DELIVER": "https://app.example/mm7",
                "APPLICATION_2_CALLBACK_USERNAME": "us",
                "APPLICATION_2_CALLBACK_PASSWORD": "z",
                "APPLICATION_2_OPT_OUT_STOP": "HALT",
                "APPLICATION_3_NAME": "third",
                "APPLICATION_3_PASSWORD": "x",
                "UPSTREAM_1_HEADERS": '{ "X-Profile" = "7" }',
                "UPSTREAM_1_RATE": "2.5",
                "UPSTREAM_1_CALLBACK_USERNAME": "far-back",
                "UPSTREAM_1_CALLBACK_PASSWORD": "y",
                "ROUTE_1_PREFIX": "+64",
                "ROUTE_1_VIA": "far",
                "ROUTE_2_PREFIX": '""',
                "ROUTE_2_VIA": "far",
            }
        ),
    )
    plain = load(file)
    assert (settings.mm7, settings.workers, settings.allow_internal) == (Place("127.0.0.1", 8027), 2, True)
    assert settings.trusted_proxies == ("10.0.0.0/8", "192.0.2.1")
    assert settings.database == "postgresql+psycopg://u:p@db/mm7"
    assert settings.relay_id == plain.relay_id == "mm7zeep"  # an empty variable says nothing
    assert (settings.delivery.timeout, settings.delivery.spread, settings.delivery.waits) == (120, 0.5, (5, 30, 60))
    assert (settings.retention.days, settings.limits.depth) == (None, 7)
    first, second, third = settings.applications
    assert (first.password, second.password, third.password) == ("from the environment", "quiet two", "x")
    assert (second.vasids, second.fault_status) == (("News, Sport", "b"), 200)
    assert second.callback is not None
    assert second.callback.deliver == "https://app.example/mm7"
    assert second.opt_out is not None
    assert second.opt_out.stop == ("HALT",)
    [far] = settings.upstreams
    assert (far.headers, far.rate, far.callback_username) == ({"X-Profile": "7"}, 2.5, "far-back")
    assert [(one.prefix, one.via) for one in settings.routes] == [("+64", "far"), ("", "far")]


def test_secrets_in_files(file: Path, tmp_path: Path) -> None:
    """A secret may stand in a file that a variable names, as containers have them; it takes the place of the file's."""
    (tmp_path / "mounted").write_text("mounted secret")
    (tmp_path / "mounted").chmod(0o644)
    given = {"MM7ZEEP_APPLICATION_2_PASSWORD_FILE": "mounted"}
    settings, remarks = read(file, given)
    assert settings.applications[1].password == "mounted secret"
    opened = f"{tmp_path / 'mounted'} can be read by every user; take that right away (chmod o-r)"
    assert remarks == (f"MM7ZEEP_APPLICATION_2_PASSWORD_FILE: {opened}",)
    both = {**given, "MM7ZEEP_APPLICATION_2_PASSWORD": "quiet"}
    with pytest.raises(ConfigError, match="MM7ZEEP_APPLICATION_2_PASSWORD_FILE: stands beside password"):
        load(file, both)


def test_a_secret_in_a_variable_is_in_no_file(file: Path) -> None:
    """Who may read the configuration does not matter where all its secrets come from elsewhere."""
    file.chmod(0o644)
    given = {f"MM7ZEEP_APPLICATION_{n}_PASSWORD": "x" for n in (1, 2)}
    assert read(file, given)[1] == ()
    assert len(read(file)[1]) == 1


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"GATEWAY_WORKERS": "many"}, "GATEWAY_WORKERS: must be a whole number, without quotes"),
        ({"GATEWAY_WORKERS": "quiet"}, "GATEWAY_WORKERS: must be a whole number, without quotes"),
        ({"GATEWAY_ALLOW_INTERNAL": "quiet"}, "GATEWAY_ALLOW_INTERNAL: must be true or false, without quotes"),
        ({"GATEWAY_MM7": "quiet"}, "GATEWAY_MM7: is no address to listen on"),
        ({"GATEWAY_WORKER": "2"}, "GATEWAY_WORKER: is no setting; did you mean MM7ZEEP_GATEWAY_WORKERS?"),
        (
            {"APPLICATION_NAME": "x"},
            "APPLICATION_NAME: needs the number of the table, as in MM7ZEEP_APPLICATION_1_NAME",
        ),
        ({"APPLICATION": "x"}, "APPLICATION: needs the number of the table, as in MM7ZEEP_APPLICATION_1_..."),
        (
            {"APPLICATION_0_NAME": "x"},
            "APPLICATION_0_NAME: is no setting; did you mean MM7ZEEP_APPLICATION_N_NAME, where",
        ),
        ({"APPLICATION_4_NAME": "x"}, "APPLICATION_4_NAME: leaves a gap: there are 2 of these tables; the next one"),
        ({"APPLICATION_3_PASSWORD": "x"}, "application[3].name: is missing or empty"),
        ({"GATEWAY_XYZZY_XYZZY": "x"}, "GATEWAY_XYZZY_XYZZY: is no setting; take it out of the environment"),
        ({"UPSTREAM_1_HEADERS": "quiet"}, 'UPSTREAM_1_HEADERS: cannot be read; write { "X-Name" = "value" }'),
        ({"UPSTREAM_1_HEADERS": '{}\nworse = "quiet"'}, "UPSTREAM_1_HEADERS: cannot be read"),
        ({"UPSTREAM_1_HEADERS": "[1]"}, "UPSTREAM_1_HEADERS: cannot be read"),
        ({"APPLICATION_1_VASIDS": "[quiet"}, "APPLICATION_1_VASIDS: cannot be read; write"),
        ({"UPSTREAM_1_BEARER": "quiet quiet"}, "UPSTREAM_1_BEARER: is no bearer token"),
        ({"GATEWAY_TRUSTED_PROXIES": "10.0.0.0/8,x"}, "GATEWAY_TRUSTED_PROXIES: "),
        ({"GATEWAY_CERT": "none.pem", "GATEWAY_KEY": "none.pem"}, "GATEWAY_CERT: "),
    ],
)
def test_what_is_wrong(file: Path, variables: dict[str, str], told: str) -> None:
    """Each problem is told by its variable, says how to mend it, and repeats no value that may be a secret."""
    found = problems(file, **variables)
    whole = f"{file}: {told}" if told.startswith("application[") else f"MM7ZEEP_{told}"
    assert any(one.startswith(whole) for one in found), found
    assert not [one for one in found if "quiet" in one]


def test_all_that_is_wrong_is_told_at_once(file: Path) -> None:
    """Of the file and of the environment."""
    file.write_text(FILE + '[http]\nidle = "soon"\n')
    found = problems(file, GATEWAY_WORKERS="0", APPLICATION_1_NAM="x")
    assert [one.partition(": ")[0] for one in found] == [
        "MM7ZEEP_APPLICATION_1_NAM",
        "MM7ZEEP_GATEWAY_WORKERS",
        str(file),
    ]


def test_service_links_of_kubernetes_are_passed_over(file: Path) -> None:
    """A pod is told of a service called mm7zeep-gateway by variables that look like settings."""
    links = {
        "GATEWAY_SERVICE_HOST": "10.0.0.1", "GATEWAY_SERVICE_PORT": "8007", "GATEWAY_SERVICE_PORT_MM7": "8007",
        "GATEWAY_PORT": "tcp://10.0.0.1:8007", "GATEWAY_PORT_8007_TCP": "tcp://10.0.0.1:8007",
        "GATEWAY_PORT_8007_TCP_PROTO": "tcp", "GATEWAY_PORT_8007_TCP_ADDR": "10.0.0.1",
    }  # fmt: skip
    assert load(file, prefixed(links)) == load(file)
    names = [one.variable.partition("GATEWAY_")[2] for one in environment.every_setting()]
    assert not [name for name in names if environment._SERVICE_LINK.fullmatch(name)]


def test_variables_of_others(file: Path) -> None:
    """Options of commands and the switches of the library are no settings; what may be one is doubted."""
    others = prefixed({"SEND_AUTH": "we:quiet", "PLANS": "0", "TEST_POSTGRES": "x", "SERVE_WORKERS": "3"})
    assert read(file, others) == read(file)
    _, remarks = read(file, prefixed({"APPLICATIONS_1_PASSWORD": "quiet"}))
    said = "MM7ZEEP_APPLICATIONS_1_PASSWORD: is no setting; did you mean MM7ZEEP_APPLICATION_...?"
    assert said in remarks


def test_without_a_file() -> None:
    """The environment may say all; without an application in it, the demo is what it changes."""
    assert load(None, {}) == demo_settings()
    changed = load(None, prefixed({"GATEWAY_WORKERS": "3"}))
    assert (changed.workers, changed.applications) == (3, demo_settings().applications)
    own = load(None, prefixed({"APPLICATION_1_NAME": "tnn", "APPLICATION_1_PASSWORD": "x"}))
    assert [one.name for one in own.applications] == ["tnn"]
    assert (own.api, own.allow_internal) == (None, False)
    assert problems(None, APPLICATION_1_PASSWORD="quiet")[0].startswith("MM7ZEEP_APPLICATION_1_NAME: is missing")


def test_every_setting_has_a_variable(tmp_path: Path) -> None:
    """Each setting of the models can be given, is found where it belongs, and its variable names no other."""
    every = environment.every_setting()
    names = [one.variable for one in every]
    assert len(names) == len(set(names)) > 120
    values = {"text": "x", "switch": "true", "whole number": "7", "number": "0.5", "list": "a,b", "table": '{a="b"}'}
    wanted: dict[str, Any] = {"switch": True, "whole number": 7, "number": 0.5, "list": ["a", "b"], "table": {"a": "b"}}
    for one in every:
        if re.fullmatch(r"waits|.*ports", one.name):
            continue
        variable = one.variable.replace("_N_", "_1_")
        overlay = environment.overlaid({}, {variable: values[one.kind]})
        assert overlay.problems == []
        [where] = overlay.variables
        assert where == f"{one.table}.{one.name}".replace("[]", "[1]").removeprefix(".")
        assert environment.variable_of(where) == variable
        found: Any = overlay.raw
        for step in re.findall(r"\w+", where):
            found = found[int(step) - 1] if step.isdigit() else found[step]
        assert found == wanted.get(one.kind, "x"), variable


def test_every_setting_of_the_example_has_a_variable() -> None:
    """What docs/gateway.toml shows is all there; whole tables are the only thing that is not."""
    example = Path(__file__).resolve().parent.parent / "docs" / "gateway.toml"
    raw = tomllib.loads(re.sub(r"(?m)^#(?=\w+ = )", "", example.read_text(encoding="utf-8")))
    known = {(one.table, one.name) for one in environment.every_setting()}

    def walk(table: dict[str, Any], where: str) -> None:
        for name, value in table.items():
            steps = f"{where}.{name}".removeprefix(".")
            if isinstance(value, list) and value and isinstance(value[0], dict):
                for one in value:
                    walk(one, f"{steps}[]")
            elif isinstance(value, dict) and (where, name) not in known:
                walk(value, steps)
            elif not isinstance(value, dict):
                assert (where, name) in known, steps

    walk(raw, "")


# --- the commands -----------------------------------------------------------------------------------------------------


def serve(*words: str | Path, **variables: str) -> Result:
    """What the command says of its configuration."""
    given = ["serve", "--check-config", *map(str, words)]
    return CliRunner().invoke(main, given, env=prefixed(variables))


def test_serve_reads_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A variable goes before the file, an option before the variable; no secret is shown."""
    monkeypatch.chdir(tmp_path)
    done = serve("--config", file, GATEWAY_WORKERS="3", UPSTREAM_1_USERNAME="we", UPSTREAM_1_PASSWORD="quiet three")
    assert (done.exit_code, "worker processes: 3" in done.stdout) == (0, True), done.output
    assert "quiet" not in done.output
    assert "worker processes: 4" in serve("--config", file, "--workers", "4", GATEWAY_WORKERS="3").stdout
    assert "worker processes: 5" in serve("--config", file, GATEWAY_WORKERS="3", SERVE_WORKERS="5").stdout
    wrong = serve("--config", file, GATEWAY_WORKERS="0")
    assert (wrong.exit_code, wrong.stderr.startswith("mm7zeep serve: MM7ZEEP_GATEWAY_WORKERS: ")) == (2, True)


def test_configuration_that_lies_there_is_mentioned(
    file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Who forgets --config is told, and served the demo all the same."""
    monkeypatch.chdir(tmp_path)
    done = serve()
    said = (
        "mm7zeep serve: gateway.toml is in this directory and is not used; mm7zeep serve --config gateway.toml serves"
    )
    assert done.stderr.startswith(said)
    assert "application demo: " in done.stdout
    assert said not in serve("--config", file).stderr
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert said not in serve().stderr


def test_export_finds_the_same_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``export`` looks where ``serve`` keeps."""
    monkeypatch.chdir(tmp_path)
    env = prefixed({"GATEWAY_DATABASE": "sqlite:///elsewhere.db"})
    done = CliRunner().invoke(main, ["export"], env=env)
    assert done.exit_code == 3
    assert "elsewhere.db" in done.stderr


def test_only_the_demo_is_told_how_to_send(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The curl command that is printed has a password in it: the one of the demo, and nobody's who gave his own."""
    from mm7zeep.cli import serve as module

    asked: list[bool] = []

    def instead(settings: Any, *, demo: bool, reload: Any) -> int:
        asked.append(demo)
        return 0

    monkeypatch.setattr(module, "_serve", instead)
    monkeypatch.chdir(tmp_path)
    own = {"APPLICATION_1_NAME": "demo", "APPLICATION_1_PASSWORD": "quiet", "APPLICATION_1_VASPID": "demo"}
    for variables in ({}, {"GATEWAY_WORKERS": "2"}, own):
        assert CliRunner().invoke(main, ["serve"], env=prefixed(variables)).exit_code == 0
    assert asked == [True, True, False]
