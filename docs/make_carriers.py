"""Write docs/how-to/carriers/*.md: a guide for each carrier that is known, and the list of them.

Facts of a carrier come from its profile (``mm7zeep.profiles``); what no profile holds, how it lets you in and what is peculiar
about it, stands in ``GUIDES``. ``python -P docs/make_carriers.py``. A test fails where a page is out of date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from mm7zeep.cli.profiles import limit_in_words, told
from mm7zeep.profiles import CARRIERS, Profile

FOLDER = Path(__file__).parent / "how-to" / "carriers"


class Guide(NamedTuple):
    """What a profile does not hold: title, who it is, how it lets you in, and what is peculiar about it."""

    title: str
    says: str
    login: Literal["basic", "bearer"] = "basic"
    quirks: tuple[str, ...] = ()
    send_as: str | None = None  # the profile that a message to it is sent with, where that is another


GUIDES: Mapping[str, Guide] = MappingProxyType({
    "generic-5.3.0": Guide(
        "Any MMSC of the first generation",
        "For an MMSC that has no profile here and whose papers speak of MM7Version 5.3.0 or of Release 5.",
        quirks=("If it answers 4002 or 4004, its schema is another one: see [Debug a 4004](../debug_a_4004.md).",),
    ),
    "generic-6.8.0": Guide(
        "Any newer MMSC",
        "For an MMSC that has no profile here and whose papers speak of MM7Version 6.x or of Release 6. It is the default.",
        quirks=("Only here are MM7_extended_cancel and MM7_extended_replace; few MMSCs serve them.",),
    ),
    "mbuni": Guide(
        "mbuni",
        "mbuni is a free MMSC and MMS gateway. This profile is for its mmsbox as the VASP of your gateway; towards an mbuni MMSC, send"
        " with `generic-5.3.0`.",
        quirks=(
            "A read reply ends mbuni's process (measured): ask it for none.",
            "It speaks REL-5-MM7-1-0, whose SubmitRsp has no place for a MessageID, so it is answered in REL-5-MM7-1-2.",
            "Its faults come with HTTP 200, and ours to it do, too.",
        ),
        send_as="generic-5.3.0",
    ),
    "optus": Guide(
        "Optus", "Optus (Australia).",
        quirks=(
            "Several recipients in one request are answered 3003; `submit` therefore sends one request to each.",
            "MO and reports come in another namespace than you send in; the profile knows.",
        ),
    ),
    "sinch": Guide(
        "Sinch", "Sinch, formerly mblox (United States).",
        quirks=(
            "The VASPID is the API key.",
            "Several recipients in one request are answered 2503, except in group chats.",
            "An MO or report that is not acknowledged within 10 s comes again: answer first, work afterwards.",
            "A presentation (SMIL) is demanded; the profile adds one to everything.",
        ),
    ),
    "skycore": Guide(
        "Skycore", "Skycore (United States).",
        quirks=(
            "It retries an MO or report five times unless it is answered 200 within 10 s: answer first, work afterwards.",
            "Several recipients in one request are answered 2503.",
        ),
    ),
    "openmarket": Guide(
        "OpenMarket", "OpenMarket (United States, United Kingdom, Ireland, Australia).",
        quirks=(
            "A Content-ID has fewer than 20 characters; the profile makes short ones.",
            "It takes any namespace that is valid for its version; below 6.8.0 the UAProf is a header field of HTTP.",
        ),
    ),
    "vibes-5.5": Guide(
        "Vibes, profile MM7 5.5.0", "Vibes (United States), where your account has its profile \"MM7 5.5.0\".",
        quirks=(
            "The profile is called 5.5.0, and MM7Version is 5.3.0 all the same.",
            "A body over 1 MB is answered HTTP 413.",
            "It takes an empty HTTP 200 as an acknowledgement, and may answer with one.",
            "Header fields of its own go with a request: `headers=` of the client, `headers` of the upstream.",
        ),
    ),
    "vibes-6.8": Guide(
        "Vibes, profile 6.8.0", "Vibes (United States), where your account has its profile \"6.8.0\".",
        quirks=(
            "A body over 1 MB is answered HTTP 413.",
            "It takes an empty HTTP 200 as an acknowledgement, and may answer with one.",
            "Header fields of its own go with a request: `headers=` of the client, `headers` of the upstream.",
        ),
    ),
    "telnyx": Guide(
        "Telnyx", "Telnyx (United States, Canada).", login="bearer",
        quirks=(
            "The API key is shown as Bearer; there is no name and no password.",
            "To and Cc are served; Bcc is not.",
            "The sender has to be a number of yours.",
            "The receiver has to take both `multipart/related` (MO) and `text/xml` (reports); ours does.",
        ),
    ),
    "fibernetics": Guide(
        "Fibernetics", "Fibernetics (Canada).",
        quirks=(
            "It lets you in by address besides name and password: tell it where you call from.",
            "An MO may arrive as SubmitReq instead of DeliverReq; the profile has both reach `on_deliver`.",
        ),
    ),
})  # fmt: skip


def text(name: str) -> str:
    """The guide of one carrier."""
    guide, profile = GUIDES[name], CARRIERS[name]
    return "\n".join([*_page(guide, profile)])


def index() -> str:
    """The list."""
    lines = [
        "# Carriers", "",
        "One guide for each carrier that is known: what to ask it for, the settings, a send, a receive, and what is peculiar. Yours is"
        " not among them? Take one of the two generic ones, and [examine it](../../probe.md).", "",
        "| Carrier | `profile` | Schema | MM7Version |", "|---|---|---|---|",
    ]  # fmt: skip
    for name, guide in GUIDES.items():
        one = CARRIERS[name]
        lines.append(f"| [{guide.title}]({_file(name)}) | `{name}` | {one.schema} | {one.mm7_version} |")
    lines += ["", "```{toctree}", ":hidden:", "", *(_file(name).removesuffix(".md") for name in GUIDES), "```", ""]
    return "\n".join(lines)


def pages() -> Mapping[Path, str]:
    """Every file of the folder, with what it should hold. Raises ``ValueError`` where a profile has no guide."""
    if [*GUIDES] != [*CARRIERS]:
        raise ValueError(f"profiles and guides differ: {sorted({*GUIDES} ^ {*CARRIERS}) or 'in their order'}")
    return {FOLDER / "index.md": index(), **{FOLDER / _file(name): text(name) for name in GUIDES}}


def _file(name: str) -> str:
    return f"{name.replace('.', '_').replace('-', '_')}.md"


def _page(guide: Guide, one: Profile) -> Iterator[str]:
    head, *lines = told(one)
    wishes = [line.strip() for line in lines if line.startswith("  ") and not line.startswith("    ")]
    wishes = wishes[: len(wishes) - len(one.sources)]
    bearer = guide.login == "bearer"
    yield from (
        f"# {guide.title}", "", guide.says, "",
        f"Its profile is `{one.name}`: {head.partition(': ')[2]}. `mm7zeep profiles {one.name}` tells the same.", "",
        *(f"- {wish}" for wish in wishes), "",
        "## What to ask for", "",
        "- the URL of its MMSC for MM7, over https",
        "- the API key" if bearer else "- user name and password, and whether they are shown by Basic or by Digest",
        "- your VASPID, and the VASID and ServiceCode of your service, where it has such",
        "- your sender: a short code or a number, and whether it has to be named in each request",
        "- which addresses it calls you from, and which of yours it lets in",
        "- what it shows when it calls you (name and password), and that it calls your receiver's URL over https",
        "- its limits today: size, parts, recipients, requests per second",
        f"- which MM7Version and namespace: `{one.mm7_version}` and `{one.schema}` by the papers known here", "",
        "## Limits that it states", "",
    )  # fmt: skip
    if not one.sources:
        yield from ("None is known, and none is invented.", "")
    else:
        yield from ("| Limit | Source | Note |", "|---|---|---|")
        for source in one.sources:
            yield f"| {limit_in_words(one, source.limit)} | {source.document} | {source.note or '-'} |"
        yield from ("", "They are judged before anything is sent: what exceeds one is a `LocalError` that names it. Pictures can be [made to fit](../../fit.md): `--fit`, `fit=True`.", "")
    yield from _settings(guide, one)
    yield from _sending(guide, one)
    yield from _receiving(one)
    yield from ("## Known quirks", "", *(f"- {quirk}" for quirk in guide.quirks), "")


def _settings(guide: Guide, one: Profile) -> Iterator[str]:
    login = ['bearer_file = "/run/secrets/key"'] if guide.login == "bearer" else [
        'username = "tnn"', 'password_file = "/run/secrets/carrier"']  # fmt: skip
    yield from (
        "## Settings of the gateway", "",
        "For [a gateway in front of it](../../tutorials/carrier.md):", "",
        "```toml", "[[upstream]]", f'name = "{one.name}"', 'url = "https://mmsc.example/mm7"', *login, 'vaspid = "TNN"',
        'vasid = "News"', f'profile = "{one.name}"', "rate = 10  # requests per second: what your contract says",
        'callback_username = "carrier"', 'callback_password_file = "/run/secrets/carrier-callback"',
        'allow = ["192.0.2.7"]  # where it calls from', "", "[[route]]", 'prefix = ""', f'via = "{one.name}"', "```", "",
    )  # fmt: skip


def _sending(guide: Guide, one: Profile) -> Iterator[str]:
    option = "--bearer KEY" if guide.login == "bearer" else "--auth tnn:secret"
    login = 'Bearer("KEY")' if guide.login == "bearer" else '("tnn", "secret")'
    profile = guide.send_as or one.name
    imported = "Bearer, VaspClient" if guide.login == "bearer" else "VaspClient"
    yield from (
        "## Send", "",
        "First without sending. `--dry-run` writes the request as it would go out, and `check` judges it:", "",
        "```console",
        "$ mm7zeep samples pack", "pack/saturn.png  1898 octets", "...",
        f"$ mm7zeep send https://mmsc.example/mm7 {option} --vaspid TNN --vasid News --to +61412345678 --profile {profile}"
        " --subject News --text Hello pack/saturn.jpg --dry-run -o request.http",
        "$ mm7zeep check request.http", "...",
        "1 message: 1 accepted (0 with warnings), 0 rejected",
        "```", "",
        "Then leave out `--dry-run -o request.http`. From Python:", "",
        "<!-- needs a carrier -->", "```python",
        f"from pathlib import Path\n\nfrom mm7zeep import {imported}\n",
        f'with VaspClient("https://mmsc.example/mm7", auth={login}, vaspid="TNN", vasid="News", profile="{profile}") as mmsc:',
        '    sent = mmsc.submit("+61412345678", ["Hello", Path("pack/saturn.jpg")], subject="News", delivery_report=True)',
        "    print(sent.message_id)", "```", "",
        f"To try the same against a fake of it on your own machine: [A fake carrier](../fake_carrier.md), with `{one.name}`.", "",
    )  # fmt: skip


def _receiving(one: Profile) -> Iterator[str]:
    report = one.report_schema or one.name
    yield from (
        "## Receive", "",
        "A receiver that knows its habits; behind it, what it answers to an MO in the form that it comes in"
        + (f" ({one.report_schema}):" if one.report_schema else ":"), "",
        "```python",
        "from dataclasses import replace\n",
        "from mm7zeep import DeliverReq, DeliveryReportReq, Receiver, pack, part_of, unpack\n",
        f'receiver = Receiver(auth=("carrier", "secret"), profile="{one.name}")\n\n',
        "@receiver.on_deliver", "def deliver(message: DeliverReq) -> None:",
        '    print("from", message.sender, [part.content_type for part in message.parts])\n\n',
        "@receiver.on_delivery_report", "def report(message: DeliveryReportReq) -> None:",
        '    print("report", message.message_id, message.recipient, message.mm_status)\n\n',
        f'mo = pack(DeliverReq(sender="+61412345678", to="111122", parts=[part_of("Thanks")]), profile="{report}")',
        'login = ("Authorization", "Basic Y2FycmllcjpzZWNyZXQ=")  # carrier:secret',
        "answer = receiver.answer(replace(mo, headers=(*mo.headers, login)))",
        "print(answer.status, unpack(answer).message.status)", "```", "",
        "<!-- prints -->", "```text",
        f"from +61412345678 [{_types(one)}]",
        "200 1000 Success", "```", "",
        "`app = receiver.asgi` and `python -m uvicorn --port 8009 vasp:app` serve it; so does [your web framework](../../frameworks.md).", "",
    )  # fmt: skip


def _types(one: Profile) -> str:
    """What comes of one text under the profile: with a presentation, where it demands one."""
    return "'application/smil', 'text/plain'" if one.smil == "required" else "'text/plain'"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, content in pages().items():
        path.write_text(content, encoding="utf-8")
