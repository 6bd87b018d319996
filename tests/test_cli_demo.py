"""``mm7zeep demo``: all of it over real HTTP, and an honest end where something does not happen."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mm7zeep.cli import demo, demo_json, main
from mm7zeep.client import sending
from mm7zeep.errors import TransportError

pytest.importorskip("uvicorn")
START = "from mm7zeep.cli import main; main(prog_name='mm7zeep')"


def run() -> Result:
    """Run the demo in this process."""
    return CliRunner().invoke(main, ["demo"])


def test_all_of_it_happens() -> None:
    """Every step is told, with ids and digests, and the end is 0."""
    done = run()
    assert done.exit_code == 0, done.output
    for number, (title, _) in enumerate(demo.STEPS, 1):
        assert f"{number}/{len(demo.STEPS)} {title}" in done.stdout
    assert "status    1000 Success" in done.stdout
    [message] = re.findall(r"message   (\w{32})\n", done.stdout)
    assert f"report    Retrieved by {demo.NUMBER}, message {message}" in done.stdout
    assert len(set(re.findall(r"SHA-256 (\w{64}), as sent", done.stdout))) == 1
    assert len(re.findall(r"SHA-256 \w{64}, as sent", done.stdout)) == 2
    assert "All of it happened" in done.stdout


def test_all_of_it_happens_in_json() -> None:
    """By JSON and webhooks, through two gateways: every step is told, and the pictures are the ones that were sent."""
    done = CliRunner().invoke(main, ["demo", "--json"])
    assert done.exit_code == 0, done.output
    for number, (title, _) in enumerate(demo_json.STEPS, 1):
        assert f"{number}/{len(demo_json.STEPS)} {title}" in done.stdout
    assert len(re.findall(r"SHA-256 \w{64}, as sent", done.stdout)) == 2
    assert done.stdout.count("signature right") == 2
    assert "All of it happened" in done.stdout


def test_carrier_that_rejects_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that the carrier's handset rejects ends the demo with 1, and the step is named."""
    from mm7zeep.gateway.config import settings
    from mm7zeep.gateway.config.handset import Handset

    monkeypatch.setattr(settings, "Settings", partial(settings.Settings, handsets=(Handset(outcome="Rejected"),)))
    monkeypatch.setattr(demo_json, "LIMIT", 5.0)
    done = CliRunner().invoke(main, ["demo", "--json"])
    assert done.exit_code == 1
    assert "step 'The gateway submits it by MM7, and the handset retrieves it': the copy of" in done.stderr


def test_wrong_signature_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event whose signature is wrong ends the demo with 1."""
    from mm7zeep.gateway.delivery import webhook_caller

    def headers(secrets: object, id: str, timestamp: int, body: bytes) -> dict[str, str]:
        return {"webhook-id": id, "webhook-timestamp": str(timestamp), "webhook-signature": "v1,AAAA"}

    fake = SimpleNamespace(headers=headers)
    monkeypatch.setattr(webhook_caller, "webhook_signature", fake)
    done = CliRunner().invoke(main, ["demo", "--json"])
    assert done.exit_code == 1
    assert "the event message.delivered has a wrong signature" in done.stderr


def failing(monkeypatch: pytest.MonkeyPatch, *, deliver: Any = None, limit: float = 60.0, **options: Any) -> Result:
    """Run the demo with an MMSC that was given these settings; each step has ``limit`` seconds."""
    from mm7zeep.gateway import gateway
    from mm7zeep.gateway.config import settings

    monkeypatch.setattr(settings, "Settings", partial(settings.Settings, **options))
    monkeypatch.setattr(gateway, "Gateway", partial(gateway.Gateway, deliver=deliver))
    monkeypatch.setattr(demo, "LIMIT", limit)
    return run()


def test_handset_that_rejects(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that was not retrieved ends the demo with 1, and the step is named."""
    from mm7zeep.gateway.config.handset import Handset

    done = failing(monkeypatch, handsets=(Handset(outcome="Rejected"),))
    assert done.exit_code == 1
    assert "step 'The handset retrieves it': the copy of +61491570156 ended as Rejected" in done.stderr
    assert "All of it happened" not in done.output


def test_report_that_is_not_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that does not reach the VASP ends the demo with 1 and the reason."""

    def refuse(url: str, message: object, transaction_id: str) -> None:
        raise TransportError("nobody there", maybe_accepted=False)

    done = failing(monkeypatch, deliver=refuse)
    assert done.exit_code == 1
    assert "step 'The delivery report reaches the VASP': the delivery report was not accepted" in done.stderr
    assert "nobody there" in done.stderr


def test_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not happen in time ends the demo with 1, too."""
    from mm7zeep.gateway.config.handset import Handset

    done = failing(monkeypatch, limit=1.0, handsets=(Handset(delay=timedelta(hours=1)),))
    assert done.exit_code == 1
    assert "step 'The handset retrieves it': the handset's copy did not arrive within 1 s" in done.stderr


def test_changed_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that is not octet by octet the one that was sent ends the demo with 1."""
    send = sending.compose
    calls: Iterator[int] = iter(range(100))

    def spoil(parts: Any, profile: Any) -> Any:
        content = send(parts, profile)
        if content is None or next(calls) == 0:
            return content
        spoilt = tuple(_flipped(part) if part.content_type == "image/png" else part for part in content.parts)
        return replace(content, parts=spoilt)

    monkeypatch.setattr(sending, "compose", spoil)
    done = run()
    assert done.exit_code == 1
    assert "step 'The answer reaches the VASP': the picture has SHA-256" in done.stderr


def _flipped(part: Any) -> Any:
    body = bytearray(part.read())
    body[-1] ^= 1
    return replace(part, body=bytes(body))


def test_missing_extra_is_named() -> None:
    """Without the HTTP server the extra to install is named, and the end is 3."""
    code = f"import sys; sys.modules['uvicorn'] = None; {START}"
    done = subprocess.run([sys.executable, "-c", code, "demo"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert 'uvicorn is not installed; pip install "mm7zeep[gateway]"' in done.stderr


def test_kept_demo_takes_its_curl_command(tmp_path: Path) -> None:
    """With --keep the printed command is one that the MMSC accepts, and a signal ends it in good order."""
    import requests

    words = [sys.executable, "-u", "-c", START, "demo", "--keep"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            lines = _until_blank(process, after="by curl")
            curl = shlex.split("".join(lines).replace("\\\n", " "))
            fields = dict(curl[at + 1].split(": ", 1) for at, word in enumerate(curl) if word == "-H")
            body = Path(curl[-2].removeprefix("@")).read_bytes()
            user, _, password = curl[curl.index("-u") + 1].partition(":")
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(curl[-1], data=body, headers=fields, auth=(user, password), timeout=10)
            assert (answer.status_code, b">1000<" in answer.content) == (200, True), answer.content
            assert process.stdout is not None
            assert process.stdout.readline().startswith("handset   Retrieved  message ")
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
        finally:
            process.kill()
    assert not Path(curl[-2].removeprefix("@")).exists()


def _until_blank(process: subprocess.Popen[str], *, after: str) -> list[str]:
    """The lines of the paragraph that follows the one with ``after``."""
    assert process.stdout is not None
    for line in process.stdout:
        if after in line:
            break
    next(process.stdout)
    return list(iter(lambda: next(process.stdout), "\n"))  # type: ignore[arg-type]
