"""A site with handsets for the browser: pages of the viewer's macro, under the viewer's policy, with their parts."""

from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from http_site import Answers, served
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image, ImageDraw

from mm7zeep.gateway.viewer import slides
from mm7zeep.messages import Part

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
PAGE = """{% from "_handset.html" import handset %}<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Message</title><link rel="stylesheet" href="/site.css"><link rel="stylesheet" href="/static/player.css">
<script type="module" src="/static/player.js"></script></head>
<body><main><h1>Message</h1>{{ handset(presentation, texts, part_url, autoplay) }}</main></body></html>"""
STYLE = """:root { color-scheme: light dark; } body { margin: 0; padding: 1rem; font: 16px/1.5 system-ui, sans-serif;
background: #fff; color: #16191d; } h1 { font-size: 1.25rem; margin: 0 0 1rem; }
@media (prefers-color-scheme: dark) { body { background: #121518; color: #e7eaed; } }"""
_TEMPLATES = Environment(
    loader=PackageLoader("mm7zeep.gateway.viewer"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


class HandsetSite:
    """Pages at ``/NAME`` and their parts at ``/NAME/parts/N``; parts are served as the viewer does, in a sandbox."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, tuple[str, bytes, str]] = {}
        self.asked: list[str] = []
        package = PackageLoader("mm7zeep.gateway.viewer", "static")
        for name, kind in (
            ("player.js", "text/javascript"),
            ("player_elements.js", "text/javascript"),
            ("player.css", "text/css"),
        ):
            source, _, _ = package.get_source(_TEMPLATES, name)
            self.files[f"/static/{name}"] = (kind, source.encode(), POLICY)
        self.files["/site.css"] = ("text/css", STYLE.encode(), POLICY)
        self.files["/favicon.ico"] = ("image/png", picture(16, 16, "blue"), POLICY)

    def page(self, name: str, parts: Sequence[Part], *, autoplay: bool = False) -> str:
        """Add a page for a message; where it is."""
        found = slides.presentation(parts)
        page = _TEMPLATES.from_string(PAGE).render(
            presentation=found, texts=slides.texts(parts, found), part_url=lambda n: f"/{name}/parts/{n}",
            autoplay=autoplay,
        )  # fmt: skip
        self.files[f"/{name}"] = ("text/html; charset=utf-8", page.encode(), POLICY)
        for n, part in enumerate(parts):
            policy = "sandbox; default-src 'none'"
            self.files[f"/{name}/parts/{n}"] = (part.content_type, part.read(), policy)
        return f"{self.url}/{name}"


@contextmanager
def running() -> Iterator[HandsetSite]:
    """The site on a free port of loopback."""

    class Page(Answers):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            kind, octets, policy = site.files.get(self.path, ("text/plain", b"", POLICY))
            self.answer(
                200 if self.path in site.files else 404,
                octets,
                Content_Type=kind,
                Content_Security_Policy=policy,
                X_Content_Type_Options="nosniff",
            )

    with served(Page) as url:
        site = HandsetSite(url)
        yield site


def picture(width: int, height: int, colour: str) -> bytes:
    """A PNG: a hill in that colour below a sun."""
    made = Image.new("RGB", (width, height), "#bfe0f5")
    draw = ImageDraw.Draw(made)
    draw.ellipse((width * 0.6, height * 0.1, width * 0.6 + height * 0.3, height * 0.4), fill="#ffcf3f")
    draw.polygon([(0, height), (0, height * 0.8), (width * 0.4, height * 0.45), (width, height)], fill=colour)
    octets = io.BytesIO()
    made.save(octets, "PNG")
    return octets.getvalue()


def tone(seconds: float) -> bytes:
    """A WAV: a quiet tone of 440 Hz."""
    octets = io.BytesIO()
    with wave.open(octets, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(8000)
        count = round(8000 * seconds)
        made.writeframes(b"".join(struct.pack("<h", round(900 * math.sin(n * 0.3456))) for n in range(count)))
    return octets.getvalue()
