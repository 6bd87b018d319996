"""Checks on what is shipped, run by tox outside pytest.

``build_check.py build`` builds the sdist and, from it, the wheel; looks for missing and stray files; installs each into
a fresh environment and does there what the README promises first. ``build_check.py release`` does that for what a
registry is given, and leaves it in dist/; it refuses as long as something is missing (``release``). ``build_check.py
lowest`` fails unless the installed versions are exactly the lower bounds that setup.cfg declares. Exit status 0, or 1
with what is wrong.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path, PurePosixPath

sys.path.insert(0, str(Path(__file__).parent))  # PYTHONSAFEPATH leaves it out
import release as releases

ROOT = Path(__file__).resolve().parent.parent

USE = """
import sys
from importlib.resources import files
import mm7zeep
package = files("mm7zeep")
assert str(package).startswith(sys.prefix), f"imported from {package}, not from the fresh environment"
assert package.joinpath("py.typed").is_file()
assert mm7zeep.__version__ == sys.argv[1], mm7zeep.__version__
found = sorted(file.name for file in package.joinpath("schemas").iterdir() if not file.name.startswith("__"))
assert found == sys.argv[2:], f"schemas in the package: {found}"
for name in mm7zeep.__all__:
    getattr(mm7zeep, name)
"""

VIEWER = """
import re
import urllib.request
from mm7zeep.gateway.config.load import demo_settings, with_options
from mm7zeep.gateway.gateway import Gateway
from mm7zeep.gateway.server.listener import serve_in_thread
from mm7zeep.gateway.viewer import routes
from mm7zeep.gateway.viewer.app import listener_app

def fetch(path):
    with urllib.request.urlopen(url + path, timeout=10) as answer:
        assert answer.status == 200, path
        return answer.read().decode()

gateway = Gateway(with_options(demo_settings(), database="sqlite:///viewer.db"))
with serve_in_thread(listener_app(gateway)) as url:
    pages = [one.path for one in routes.PAGES if one.method == "GET" and "{" not in one.path]
    used = {path for page in pages for path in re.findall('(?:href|src)="(/static/[^"]+)"', fetch(page))}
    assert {path.rpartition(".")[2] for path in used} == {"css", "js", "svg"}, used
    assert all(fetch(path) for path in used)
gateway.close()
print(f"the viewer has {len(pages)} pages, with {len(used)} files")
"""


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run ``command``, showing it; its output. Raises ``SystemExit`` with the output when it fails."""
    print("$", shlex.join(map(str, command)), flush=True)
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}\nfailed with exit status {done.returncode}")
    return done.stdout


def promise(readme: str) -> tuple[str, list[str]]:
    """The extras (with brackets) that the README's first command installs, and the command it then runs."""
    first = re.search(r'^.* install "\.(\[[\w,]+\])?" && \.venv/bin/(mm7zeep .*)$', readme, re.MULTILINE)
    if first is None:
        raise SystemExit('README.md has no line like: ... install ".[extra]" && .venv/bin/mm7zeep ...')
    return first[1] or "", shlex.split(first[2])


def committed() -> set[str] | None:
    """The files of the last commit that still stand here, or None outside a checkout (an unpacked sdist)."""
    if not (ROOT / ".git").exists():
        return None
    names = run("git", "-c", f"safe.directory={ROOT}", "ls-tree", "-r", "--name-only", "HEAD").splitlines()
    return {name for name in names if (ROOT / name).is_file()}


def shipped() -> set[str]:
    """What a wheel has to hold, by path inside it: all of mm7zeep/ as it stands, and schemas/ below it."""
    files = (path.relative_to(ROOT) for path in ROOT.joinpath("mm7zeep").rglob("*") if path.is_file())
    names = {path.as_posix() for path in files if "__pycache__" not in path.parts}
    return names | {f"mm7zeep/schemas/{path.name}" for path in ROOT.joinpath("schemas").glob("*.[xw]s*")}


def held(wheel: Path) -> set[str]:
    """What a wheel installs, without what is said of it."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def compare(what: str, *, found: set[str], wanted: set[str]) -> None:
    """Raise ``SystemExit`` naming what is missing from ``found`` and what is too much."""
    if found != wanted:
        raise SystemExit(f"{what}: missing {sorted(wanted - found)}, stray {sorted(found - wanted)}")
    print(f"{what}: {len(found)} files, all there, none stray", flush=True)


def check_contents(sdist: Path, wheel: Path) -> None:
    """Compare both archives with the checkout."""
    compare(wheel.name, found=held(wheel), wanted=shipped())
    with tarfile.open(sdist) as archive:
        members = {PurePosixPath(member.name) for member in archive.getmembers() if member.isfile()}
    inside = {str(member.relative_to(member.parts[0])) for member in members}
    known = committed()
    if known is not None:  # what setuptools writes itself (PKG-INFO, egg-info) is not ours to compare
        compare(sdist.name, found=inside & known, wanted=known)


def check_use(archive: Path, home: Path, extras: str, command: list[str]) -> None:
    """Install ``archive`` into a fresh environment in ``home``, and use it from an empty directory."""
    elsewhere = home / "elsewhere"
    elsewhere.mkdir(parents=True)
    run(sys.executable, "-m", "venv", home / "venv")
    programs = home / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    run(programs / "python", "-m", "pip", "-q", "install", f"{archive}{extras}", cwd=elsewhere)
    version = re.search(r"-(\d[^-]*?)(-py3|\.tar)", archive.name)
    assert version is not None
    schemas = sorted(Path(name).name for name in shipped() if name.startswith("mm7zeep/schemas/"))
    run(programs / "python", "-c", USE, version[1], *schemas, cwd=elsewhere)
    assert "Usage: mm7zeep" in run(programs / "mm7zeep", "--help", cwd=elsewhere)
    print(run(programs / command[0], *command[1:], cwd=elsewhere), flush=True)
    print(run(programs / "python", "-c", VIEWER, cwd=elsewhere), flush=True)


def build(source: Path = ROOT, keep: Path | None = None) -> None:
    """Build ``source``, look inside, install and use; the archives go to ``keep`` when all of that is well."""
    extras, command = promise(text_of(ROOT / "README.md"))
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder).resolve()
        run(sys.executable, "-m", "build", "--outdir", scratch, source)
        [sdist], [wheel] = scratch.glob("*.tar.gz"), scratch.glob("*.whl")
        check_contents(sdist, wheel)
        if keep is not None:
            releases.check_metadata(metadata_of(wheel), releases.project_urls(text_of(ROOT / "setup.cfg")))
        check_use(wheel, scratch / "from-wheel", extras, command)
        check_use(sdist, scratch / "from-sdist", extras, command)
        if keep is not None:
            keep.mkdir(exist_ok=True)
            print("\n".join(str(shutil.copy(archive, keep)) for archive in (sdist, wheel)))


def text_of(path: Path) -> str:
    """What stands in a file."""
    return path.read_text(encoding="utf-8")


def metadata_of(wheel: Path) -> str:
    """The METADATA of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return archive.read(name).decode()


def release_copy(folder: Path) -> Path:
    """A clone of the last commit in ``folder``, with the README that a registry is shown.

    Raises ``release.NotReady`` where an address, a section of the changelog, a tag or a commit is missing.
    """
    setup_cfg = text_of(ROOT / "setup.cfg")
    urls, number = releases.project_urls(setup_cfg), releases.version(setup_cfg)
    releases.check_changelog(text_of(ROOT / "CHANGELOG.md"), number)
    git = ("git", "-c", f"safe.directory={ROOT}", "-c", f"safe.directory={ROOT / '.git'}")
    if changed := run(*git, "status", "--porcelain", cwd=ROOT).splitlines():
        raise releases.NotReady(f"there are changes that are not committed: {', '.join(changed)}")
    tag = f"v{number}"
    if tag not in run(*git, "tag", "--points-at", "HEAD", cwd=ROOT).split():
        raise releases.NotReady(f"the last commit has no tag {tag}, which the links of the README lead to")
    run(*git, "clone", "--quiet", "--no-hardlinks", ROOT, folder)
    readme = folder / "README.md"
    text = releases.rewritten(text_of(readme), folder, releases.places(urls["Source"], tag))
    readme.write_text(text, encoding="utf-8")
    return folder


def release() -> None:
    """Build what a registry is given, look inside, install and use it, and leave it in dist/."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            build(release_copy(Path(folder).resolve() / "mm7zeep"), keep=ROOT / "dist")
        except releases.NotReady as error:
            raise SystemExit(f"no release: {error}") from error


def lowest() -> None:
    """Compare the installed versions with the declared lower bounds; an extra is compared where tox installs it."""
    from packaging.requirements import Requirement
    from packaging.version import Version

    wrong, seen = [], 0
    for line in metadata.requires("mm7zeep") or []:
        wanted = Requirement(line)
        if any(f'extra == "{one}"' in line for one in ("test", "browser", "docs")):
            continue  # the tests' own tools, and those of the documentation, are not what is tested
        floor = next(iter(wanted.specifier))
        if len(wanted.specifier) != 1 or floor.operator != ">=":
            wrong.append(f"{line}: declare one lower bound")
        elif Version(metadata.version(wanted.name)) != Version(floor.version):
            wrong.append(f"{line}: {metadata.version(wanted.name)} is installed")
        seen += 1
    if wrong or not seen:
        raise SystemExit("\n".join(wrong) or "mm7zeep declares no requirements")
    print(f"{seen} requirements, each at its lower bound")


CHECKS = {"build": build, "lowest": lowest, "release": release}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in CHECKS:
        raise SystemExit(f"usage: build_check.py {'|'.join(CHECKS)}")
    CHECKS[sys.argv[1]]()
