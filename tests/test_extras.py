"""Without an extra: what needs it says so in one line, names it and the command that installs it; the rest works."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import captures
import packets
import pytest

from mm7zeep.extras import EXTRAS

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent

# A finder in front of all others, as if these had never been installed.
BLOCK = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocker())
"""


def without(names: tuple[str, ...], code: str, *words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """What a fresh interpreter makes of ``code`` where none of the modules ``names`` is installed."""
    # -P: never the checkout that the tests are run from
    command = [sys.executable, "-P", "-c", BLOCK.format(names=set(names)) + code, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=cwd)


COMMAND = 'from mm7zeep.cli import main; main(prog_name="mm7zeep")'
PSYCOPG = ("--database", "postgresql://nobody@127.0.0.1:1/none", "--mm7", "127.0.0.1:0", "--admin", "127.0.0.1:0")


@pytest.mark.parametrize("module", EXTRAS["gateway"])
def test_serve_without_one_module(module: str, tmp_path: Path) -> None:
    """The gateway does not start half: whatever of its extra is missing is named before anything else happens."""
    done = without((module,), COMMAND, "serve", cwd=tmp_path)
    line = f'mm7zeep serve: {module} is not installed; pip install "mm7zeep[gateway]"\n'
    assert (done.returncode, done.stdout, done.stderr) == (3, "", line)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("gateway", ("serve",)),
        ("gateway", ("serve", "--check-config")),
        ("gateway", ("demo",)),
        ("gateway", ("listen", "--bind", "127.0.0.1:0")),
        ("postgres", ("serve", *PSYCOPG)),
        ("pcap", ("check", "x.pcap")),
        ("fit", ("fit", "x.pcap", "--limit", "300k")),
    ],
    ids=lambda given: given if isinstance(given, str) else given[0],
)
def test_command_without_its_extra(extra: str, words: tuple[str, ...], tmp_path: Path) -> None:
    """One line on standard error: the module, and the command that installs its extra. Exit status 3, no traceback."""
    (tmp_path / "x.pcap").write_bytes(packets.pcap([]))
    done = without(EXTRAS[extra], COMMAND, *words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, ""), done.stderr
    line = rf'mm7zeep {words[0]}: .*({"|".join(EXTRAS[extra])}) is not installed; pip install "mm7zeep\[{extra}\]"\n'
    # without a configuration, serve says what it took instead
    assert re.fullmatch(line, done.stderr.splitlines(keepends=True)[-1]), done.stderr
    assert "Traceback" not in done.stderr


def test_commands_that_need_no_extra(tmp_path: Path) -> None:
    """Judging, explaining, samples, sending and triggering work without any extra."""
    every = tuple(module for modules in EXTRAS.values() for module in modules)
    (tmp_path / "x.http").write_bytes(captures.dump(captures.wire()))
    nowhere = "http://127.0.0.1:1"
    trigger = ("trigger", "deliver", "--application", "a", "--from", "1", "--admin", nowhere)
    for words, status in (
        (("check", "x.http"), 0), (("explain", "2004"), 0), (("samples", "pack"), 0), (("--help",), 0),
        (("send", f"{nowhere}/mm7", "--to", "1"), 3), (trigger, 3),
    ):  # fmt: skip
        done = without(every, COMMAND, *words, cwd=tmp_path)
        assert (done.returncode, "Traceback" in done.stderr, "install" in done.stderr) == (status, False, False), words


TRY = """
import mm7zeep
from mm7zeep import transport
for made in (mm7zeep.AsyncVaspClient, mm7zeep.AsyncMmscClient, lambda url: transport.AsyncSwaTransport()):
    try:
        made("http://127.0.0.1:1/mm7")
    except mm7zeep.LocalError as error:
        print(error)
with mm7zeep.VaspClient("http://127.0.0.1:1/mm7"):
    pass
mm7zeep.Receiver()
"""


@pytest.mark.parametrize("module", EXTRAS["async"])
def test_async_without_its_extra(module: str, tmp_path: Path) -> None:
    """The async clients and their transport raise ``LocalError`` with the command; the blocking ones work."""
    done = without((module,), TRY, cwd=tmp_path)
    line = f'asyncio needs the extra async: {module} is not installed; pip install "mm7zeep[async]"\n'
    assert (done.returncode, done.stdout, done.stderr) == (0, 3 * line, "")


SUBMIT = """
from mm7zeep import pack, unpack, SubmitReq, tracing
from mm7zeep.gateway.config.parties import Application
from mm7zeep.gateway.config.settings import Settings
from mm7zeep.gateway.gateway import Gateway
from dataclasses import replace
gateway = Gateway(Settings(applications=(Application(name="tnn", password="t", vaspid="TNN"),)))
wire = pack(SubmitReq(vaspid="TNN", to=("+61400",)))
fields = (("Authorization", "Basic dG5uOnQ="), ("traceparent", "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"))
print(unpack(gateway.answer(replace(wire, headers=(*wire.headers, *fields)))).message.status.code)
gateway.run_pending()
gateway.close()
print(tracing.IS_INSTALLED, [one for one in sys.modules if one.startswith("opentelemetry")])
"""


def test_gateway_without_spans(tmp_path: Path) -> None:
    """A gateway serves without the extra otel, and loads nothing of it."""
    done = without(EXTRAS["otel"], SUBMIT, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "1000\nFalse []\n"), done.stderr


def test_fixture_without_its_extra(tmp_path: Path) -> None:
    """A test that asks for ``mm7_gateway`` fails, in one line, and is not skipped; ``assert_mm7_valid`` works."""
    (tmp_path / "test_x.py").write_text(
        "def test_gateway(mm7_gateway): mm7_gateway.url\ndef test_valid(assert_mm7_valid): assert assert_mm7_valid\n"
    )
    code = 'import pytest; sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", "test_x.py"]))'
    names = tuple(one for one in EXTRAS["gateway"] if one not in ("h11", "httptools"))
    done = without(names, code, cwd=tmp_path)
    assert (done.returncode, "1 passed, 1 error" in done.stdout) == (1, True), done.stdout + done.stderr
    assert re.search(r'mm7_gateway: \w+ is not installed; pip install "mm7zeep\[gateway\]"', done.stdout)
    assert "Traceback" not in done.stdout
    assert "trial.py" not in done.stdout


def test_module_is_the_command(tmp_path: Path) -> None:
    """``python -m mm7zeep`` is the command under its own name: help, usage errors, exit status."""
    (tmp_path / "x.http").write_bytes(captures.dump(captures.wire()))
    module = [sys.executable, "-P", "-m", "mm7zeep"]
    for words, status, said in (
        (["--help"], 0, "Usage: mm7zeep [OPTIONS] COMMAND"),
        (["check"], 2, "Usage: mm7zeep check [OPTIONS] FILE..."),
        (["check", "x.http"], 0, "1 message: 1 accepted"),
        (["check", "y.http"], 3, "y.http: No such file"),
    ):
        done = subprocess.run([*module, *words], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
        assert (done.returncode, said in done.stdout + done.stderr) == (status, True), done


def test_table_is_that_of_the_package() -> None:
    """The table names, for each extra that a user installs, just what setup.cfg declares for it."""
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    declared = {
        extra: sorted(re.split(r"[^\w-]", line)[0] for line in lines.split("\n") if line)
        for extra, lines in setup["options.extras_require"].items()
    }
    imported = metadata.packages_distributions()
    for extra, modules in EXTRAS.items():
        named = [one.lower() for one in declared[extra]]
        brought = [{one.lower().replace("_", "-") for one in imported[module]} for module in modules]
        # several distributions may bring a namespace, of which the extra installs one
        ours = sorted({next((one for one in named if one in some), min(some)) for some in brought})
        assert ours == named
    assert {*EXTRAS, "browser", "docs", "test"} == set(declared)  # these three are for working on it
