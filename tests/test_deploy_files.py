"""What the files of docs/deploy say (ports, paths, users, times) agrees with the gateway, its image and each other."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
import tomllib
from dataclasses import fields
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import containerfile
import pytest
import release
import yaml
from click.testing import CliRunner
from sqlalchemy.engine import make_url

from mm7zeep.cli import main
from mm7zeep.gateway.admin.routes import ROUTES
from mm7zeep.gateway.config.load import describe, load
from mm7zeep.gateway.config.settings import Gateway, Settings

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "docs" / "deploy"
SECRETS = "/run/secrets/"


def text_of(name: str) -> str:
    """What stands in a file of docs/deploy."""
    return DEPLOY.joinpath(name).read_text(encoding="utf-8")


STEPS = containerfile.read(text_of("Containerfile"))
IMAGE = containerfile.image_of(STEPS)
CONFIG = text_of("gateway.toml")
PAGE = ROOT.joinpath("docs", "deploy.md").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(text_of("compose.yaml"))
GATEWAY, DB = COMPOSE["services"]["gateway"], COMPOSE["services"]["db"]
KUBERNETES = list(yaml.safe_load_all(text_of("kubernetes.yaml")))
KUSTOMIZATION = yaml.safe_load(text_of("kustomization.yaml"))
POD = next(one for one in KUBERNETES if one["kind"] == "Deployment")["spec"]["template"]
[CONTAINER] = POD["spec"]["containers"]
HEALTH = {one.path for one in ROUTES if one.public}
NAMED = set(re.findall(rf'"{SECRETS}([^"]+)"', CONFIG))
TAG = f"mm7zeep:{release.version(ROOT.joinpath('setup.cfg').read_text(encoding='utf-8'))}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """What the gateway makes of the configuration, with its secrets in a folder."""
    for name in NAMED:
        tmp_path.joinpath(name).write_text("password\n", encoding="ascii")
    file = tmp_path / "gateway.toml"
    file.write_text(CONFIG.replace(SECRETS, f"{tmp_path}/"), encoding="utf-8")
    return load(file)


def ports_of(settings: Settings) -> dict[str, int]:
    """The listeners by name."""
    assert settings.api is not None
    return {"mm7": settings.mm7.port, "admin": settings.admin.port, "api": settings.api.port}


def seconds(span: str) -> int:
    """A span as compose writes it."""
    assert span.endswith("s")
    return int(span[:-1])


def test_configuration_is_for_containers(settings: Settings) -> None:
    """Each listener is reached from outside; no password is in the file."""
    assert {one.host for one in (settings.mm7, settings.admin, settings.api) if one is not None} == {"0.0.0.0"}
    url = make_url(settings.database)
    assert (url.drivername, url.password) == ("postgresql+psycopg", None)
    assert any(line.startswith("database: postgresql database mm7 on db:5432;") for line in describe(settings))
    assert {"admin", "tnn"} == NAMED


def test_image(settings: Settings) -> None:
    """The image opens the listeners' ports, asks the admin listener for its health, and is nobody's root."""
    assert IMAGE.ports == sorted(ports_of(settings).values())
    [(port, path)] = re.findall(r"http://127\.0\.0\.1:(\d+)(/\w+)", IMAGE.health_check[-1])
    assert int(port) == settings.admin.port
    assert path in HEALTH
    user, group = map(int, IMAGE.user.split(":"))
    assert min(user, group) >= 10_000
    words = [*IMAGE.entrypoint, *IMAGE.command]
    assert words == ["mm7zeep", "serve", "--config", "/etc/mm7zeep/gateway.toml"]
    assert CliRunner().invoke(main, [*words[1:-1], "/nowhere", "--check-config"]).exit_code == 2
    assert IMAGE.environment["HOME"] == IMAGE.directory == IMAGE.volumes[0]


def test_image_has_no_more_than_it_needs() -> None:
    """Built in two stages; what is copied exists, is let through by the ignore file, and makes up the whole package."""
    froms = [one for one in STEPS if one.word == "FROM"]
    assert [one.rest.partition(" AS ")[2] for one in froms] == ["build", ""]
    assert {one.rest.partition(" AS ")[0] for one in froms} == {"python:${PYTHON}-slim"}
    [default] = [one.rest.removeprefix("PYTHON=") for one in STEPS if one.word == "ARG"]
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    assert f"Python :: {default}\n" in setup["metadata"]["classifiers"] + "\n"
    copied = [source for one in STEPS if one.word == "COPY" and not one.options for source in one.words()[:-1]]
    ignored = [line for line in text_of("Containerfile.dockerignore").splitlines() if line and line[0] != "#"]
    assert ignored[0] == "*"
    assert sorted(line[1:] for line in ignored if line.startswith("!")) == sorted(copied)
    assert all(ROOT.joinpath(source).exists() for source in copied)
    assert any(fnmatch("mm7zeep/cli/__pycache__", line) for line in ignored[1:])
    [last] = [one for one in STEPS if "from" in one.options]
    assert last.rest == "/opt/mm7zeep /opt/mm7zeep"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("FROM a\nADD http://x /y\n", "line 2: 'ADD http://x /y' is no instruction"),
        ("FROM a\nRUN <<EOF\nls\nEOF\n", "line 2"),
        ("RUN a \\\n  && b \\\n", "line 1: ends with a backslash"),
    ],
)
def test_reader_refuses(text: str, problem: str) -> None:
    """What the reader of Containerfiles does not know, it does not pass over."""
    with pytest.raises(ValueError, match=problem):
        containerfile.read(text)


def test_reader_sees_lines_and_options() -> None:
    """Comments stand aside, also inside an instruction; a line goes on after a backslash."""
    text = "# a\nFROM a AS b\n\nRUN one \\\n# between\n    && two\nCOPY --from=b --chown=1:2 /x /y\n"
    assert containerfile.read(text) == [
        ("FROM", {}, "a AS b", 2),
        ("RUN", {}, "one     && two", 4),
        ("COPY", {"from": "b", "chown": "1:2"}, "/x /y", 7),
    ]
    with pytest.raises(ValueError, match="HEALTHCHECK without CMD"):
        containerfile.image_of(containerfile.read("FROM a\nHEALTHCHECK NONE\n"))


def test_compose(settings: Settings) -> None:
    """compose.yaml publishes the listeners on loopback, mounts what the configuration names, and leaves time to end."""
    published = dict(reversed(one.rsplit(":", 1)) for one in GATEWAY["ports"])
    assert published == {str(port): f"127.0.0.1:{port}" for port in ports_of(settings).values()}
    binds = dict(reversed(one.split(":")[:2]) for one in GATEWAY["volumes"])
    assert DEPLOY.joinpath(binds.pop(IMAGE.command[-1])).samefile(DEPLOY / "gateway.toml")
    assert sorted(binds) == IMAGE.volumes
    assert set(GATEWAY["secrets"]) == NAMED
    assert {name: one["file"] for name, one in COMPOSE["secrets"].items()} == {n: f"secrets/{n}" for n in NAMED}
    assert seconds(GATEWAY["stop_grace_period"]) > settings.drain
    assert (GATEWAY["image"], GATEWAY["read_only"], GATEWAY["cap_drop"]) == (TAG, True, ["ALL"])
    build = GATEWAY["build"]
    assert (DEPLOY / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).samefile(DEPLOY / "Containerfile")


def test_compose_database(settings: Settings) -> None:
    """The gateway's database URL is the service, user and database of compose.yaml, and both have one password."""
    url = make_url(settings.database)
    assert url.host in COMPOSE["services"]
    assert (url.username, url.database) == (DB["environment"]["POSTGRES_USER"], DB["environment"]["POSTGRES_DB"])
    assert GATEWAY["environment"] == {"PGPASSWORD": DB["environment"]["POSTGRES_PASSWORD"]}
    assert GATEWAY["depends_on"] == {url.host: {"condition": "service_healthy"}}
    assert DB["healthcheck"]["test"][1:] == ["pg_isready", "-q", "-U", url.username, "-d", url.database]
    assert {one.split(":")[0] for one in (*DB["volumes"], *GATEWAY["volumes"]) if one[0] != "."} == {
        *COMPOSE["volumes"]
    }


def test_kubernetes_pod(settings: Settings) -> None:
    """The pod is the image's user, opens the listeners' ports, probes what is public, and leaves time to end."""
    ports = {one["name"]: one["containerPort"] for one in CONTAINER["ports"]}
    assert ports == ports_of(settings)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert CONTAINER[probe]["httpGet"]["path"] in HEALTH
        assert ports[CONTAINER[probe]["httpGet"]["port"]] == settings.admin.port
    assert CONTAINER["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert CONTAINER["livenessProbe"]["httpGet"]["path"] == "/livez"  # a lost database is cured by no new start
    assert (CONTAINER["image"], CONTAINER["args"]) == (TAG, IMAGE.command)
    user = POD["spec"]["securityContext"]
    assert f"{user['runAsUser']}:{user['runAsGroup']}" == IMAGE.user
    assert user["fsGroup"] == user["runAsGroup"]  # who may read the secrets
    limits = CONTAINER["securityContext"]
    assert limits == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    [_, waits] = CONTAINER["lifecycle"]["preStop"]["exec"]["command"]
    assert POD["spec"]["terminationGracePeriodSeconds"] > int(waits) + settings.drain


def test_kubernetes_files() -> None:
    """What is mounted holds what the configuration names; kustomization.yaml makes it of the files that compose has."""
    volumes = {one["name"]: one for one in POD["spec"]["volumes"]}
    mounts = {one["mountPath"]: volumes[one["name"]] for one in CONTAINER["volumeMounts"]}
    assert len(mounts) == len(volumes)
    config = mounts.pop(str(PurePosixPath(IMAGE.command[-1]).parent))["configMap"]["name"]
    secrets = mounts.pop(SECRETS.rstrip("/"))["secret"]["secretName"]
    assert set(mounts) == {"/tmp", *IMAGE.volumes}
    assert all("emptyDir" in one for one in mounts.values())
    [variable] = CONTAINER["env"]
    reference = variable["valueFrom"]["secretKeyRef"]
    assert KUSTOMIZATION["configMapGenerator"] == [{"name": config, "files": ["gateway.toml"]}]
    assert KUSTOMIZATION["secretGenerator"] == [
        {"name": secrets, "files": [f"secrets/{name}" for name in sorted(NAMED)]},
        {"name": reference["name"], "envs": [".env"]},
    ]
    assert GATEWAY["environment"][variable["name"]].startswith("${" + reference["key"] + ":?")
    assert all(DEPLOY.joinpath(name).is_file() for name in KUSTOMIZATION["resources"])


def test_kubernetes_services(settings: Settings) -> None:
    """Services lead to ports that the pod names, the world's not to the admin listener; the database has a name."""
    labels = POD["metadata"]["labels"]
    services = {one["metadata"]["name"]: one["spec"] for one in KUBERNETES if one["kind"] == "Service"}
    assert services.pop(make_url(settings.database).host or "")["type"] == "ExternalName"
    for service in services.values():
        assert service["selector"] == labels
        assert {one["targetPort"]: one["port"] for one in service["ports"]}.items() <= ports_of(settings).items()
    assert {one["targetPort"] for one in services["mm7zeep"]["ports"]} == {"mm7", "api"}
    # Kubernetes would set MM7ZEEP_PORT and its like, where the command line looks for options
    assert POD["spec"]["enableServiceLinks"] is False
    for one in KUBERNETES:
        if one["kind"] in ("Deployment", "PodDisruptionBudget"):
            assert one["spec"]["selector"]["matchLabels"] == labels


def test_unit(settings: Settings) -> None:
    """The systemd unit starts a command that there is, leaves it more time than it takes, and signals it as meant."""
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(ROOT / "docs" / "mm7zeep.service", encoding="utf-8")
    service = unit["Service"]
    for name in ("ExecStart", "ExecStartPre"):
        program, command, *words = shlex.split(service[name])
        assert PurePosixPath(program).name == "mm7zeep"
        assert "No such option" not in CliRunner().invoke(main, [command, *words, "--help"]).output
        assert CliRunner().invoke(main, [command, *words, "--check-config"]).exit_code == 2  # there is no such file
    assert int(service["TimeoutStopSec"]) > settings.drain
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"


def test_page_makes_what_is_mounted(tmp_path: Path) -> None:
    """The commands of docs/deploy.md write what compose.yaml and kustomization.yaml name, for their user alone."""
    folder = tmp_path / "docs" / "deploy"
    folder.mkdir(parents=True)
    [commands] = re.findall(r"(?ms)^```sh\n(.*?)^```$", PAGE)
    subprocess.run(["sh", "-e", "-c", commands], cwd=tmp_path, check=True, timeout=60)
    made = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    [secrets, database] = KUSTOMIZATION["secretGenerator"]
    assert set(made) == {*secrets["files"], *database["envs"]}
    assert {one["file"] for one in COMPOSE["secrets"].values()} == set(secrets["files"])
    assert re.fullmatch(r"POSTGRES_PASSWORD=\S{32}\n", made[".env"].read_text(encoding="ascii"))
    assert {path.stat().st_mode & 0o077 for path in made.values()} == {0}
    if (ignore := ROOT / ".gitignore").exists():  # not in an unpacked sdist
        assert {"/docs/deploy/.env", "/docs/deploy/secrets/"} <= set(ignore.read_text(encoding="utf-8").splitlines())


def anchors(page: str) -> set[str]:
    """What the headings of a page can be linked to by."""
    heads = re.findall(r"(?m)^#+ (.*)$", page)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def test_page_names_every_file() -> None:
    """docs/deploy.md links to each file of docs/deploy, and every relative link of the three pages leads somewhere."""
    for name in ("deploy.md", "security.md", "contributing.md"):
        page = ROOT.joinpath("docs", name).read_text(encoding="utf-8")
        for anchor in re.findall(r"\]\(#([^)]+)\)", page):
            assert anchor in anchors(page)
        for link in release.relative_links(page):
            path, _, anchor = link["target"].partition("#")
            target = ROOT / "docs" / path
            assert target.is_file()
            if anchor:
                assert anchor in anchors(target.read_text(encoding="utf-8"))
    linked = {link["target"] for link in release.relative_links(PAGE)}
    beside = {"Containerfile.dockerignore"}  # found by its name alone
    files = {path.name for path in DEPLOY.iterdir() if path.is_file() and path.name != ".env"}
    assert {f"deploy/{name}" for name in files - beside} <= linked


def test_page_lists_the_alerts() -> None:
    """The table of alerts in docs/deploy.md has those of alerts.yml, with their severity."""
    rules = yaml.safe_load(text_of("alerts.yml"))["groups"][0]["rules"]
    listed = re.findall(r"(?m)^\| `(Mm7\w+)` \| (\w+) \|", PAGE)
    assert listed == [(rule["alert"], rule["labels"]["severity"]) for rule in rules]
    assert f"has {len(rules)}:" in PAGE
    assert f"SUCCESS: {len(rules)} rules found" in PAGE
    [example] = re.findall(r"(?ms)^```toml\n(.*?)^```$", PAGE)
    assert set(tomllib.loads(example)["gateway"]) <= {one.name for one in fields(Gateway)} | {"admin_password_file"}
