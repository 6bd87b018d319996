"""Network captures to messages: every layer and order of the packets, and nothing said that was not sent."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import captures
import packets
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packets import ACK, FIN, RST, SYN, Talk

from mm7zeep import extras
from mm7zeep.conformance import pairs, verdict
from mm7zeep.conformance.input import pcap, streams
from mm7zeep.conformance.input.traffic import CaptureError, Carried, Traffic
from mm7zeep.errors import LimitError, RemoteError

pytest.importorskip("dpkt")

PACKED = captures.wire()
REQUEST, ANSWER, BODY = captures.dump(PACKED), captures.dump(captures.SUBMITTED), PACKED.read()
ASKED, ANSWERED = REQUEST.partition(b"\r\n\r\n")[2], ANSWER.partition(b"\r\n\r\n")[2]


def talk(*said: bytes, **options: object) -> Talk:
    """A whole connection in which client and server speak in turn."""
    made = Talk(**options).hello()  # type: ignore[arg-type]
    for number, data in enumerate(said):
        made.say(number % 2, data)
    return made.bye()


def read(data: bytes) -> Traffic:
    """Read a capture."""
    return pcap.read("x.pcap", data)


def bodies(traffic: Traffic) -> list[bytes]:
    """The bodies of all messages."""
    return [one.wire.read() for one in traffic.messages]


def ids(message: Carried) -> list[str]:
    """The kinds of the findings of a head and its framing."""
    return [one.id for one in message.findings]


LINKS = [packets.NULL, packets.ETHERNET, packets.RAW, packets.LOOP, packets.SLL, packets.SLL2, 12, 14]


@pytest.mark.parametrize("link", [*LINKS, 228])
def test_link_layers(link: int) -> None:
    """A request and its answer come out of every link layer as they went in."""
    traffic = read(packets.pcap(talk(REQUEST, ANSWER).packets, link))
    assert bodies(traffic) == [ASKED, ANSWERED]
    assert traffic.notes == ()


@pytest.mark.parametrize("link", [*LINKS, 229])
def test_ipv6(link: int) -> None:
    """IPv6 is read in every link layer, and shown in brackets."""
    made = talk(REQUEST, ANSWER, client=("2001:db8::7", 40123), server=("2001:db8::80", 8007))
    traffic = read(packets.pcap(made.packets, link))
    assert bodies(traffic) == [ASKED, ANSWERED]
    assert traffic.messages[0].exchange.startswith("[2001:db8::7]:40123 > [2001:db8::80]:8007, exchange 1")


@pytest.mark.parametrize("link", [packets.ETHERNET, packets.SLL, packets.SLL2])
@pytest.mark.parametrize("tags", [1, 2])
def test_vlan_tags(link: int, tags: int) -> None:
    """VLAN tags, one or two, are passed over."""
    made = talk(REQUEST, ANSWER)
    whole = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    for one in made.packets:
        frame = packets.framed(one, link, vlan=tags)
        whole += struct.pack("<4I", 0, 0, len(frame), len(frame)) + frame
    assert bodies(read(whole)) == [ASKED, ANSWERED]


@pytest.mark.parametrize("magic", [0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34])
@pytest.mark.parametrize("order", ["<", ">"])
def test_magic_numbers(magic: int, order: str) -> None:
    """Micro- and nanoseconds, long records, both byte orders."""
    data = packets.pcap(talk(REQUEST, ANSWER).packets, magic=magic, order=order)
    assert pcap.recognised(data)
    assert bodies(read(data)) == [ASKED, ANSWERED]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("block", [2, 3, 6])
def test_pcapng(order: str, block: int) -> None:
    """The newer form in both byte orders, with each kind of packet block."""
    data = packets.pcapng(talk(REQUEST, ANSWER).packets, order=order, block=block)
    assert pcap.recognised(data)
    assert bodies(read(data)) == [ASKED, ANSWERED]


def test_pcapng_with_interfaces_and_sections() -> None:
    """Interfaces of different link types, and a second section in the other byte order, belong to one capture."""
    made = talk(REQUEST, ANSWER).packets
    data = packets.pcapng(made[:4], [packets.ETHERNET, packets.RAW]) + packets.pcapng(
        made[4:], [packets.SLL], order=">"
    )
    assert bodies(read(data)) == [ASKED, ANSWERED]


@pytest.mark.parametrize("seed", range(20))
def test_any_order_with_repetitions(seed: int) -> None:
    """Segments out of order, sent twice and overlapping are put in order, also where sequence numbers wrap."""
    chance = random.Random(seed)
    made = Talk(start=(2**32 - 300, 5)).hello()
    mixed: list[bytes] = []
    for side, data in ((0, REQUEST), (1, ANSWER)):
        first, out = made.next[side], []
        at = 0
        while at < len(data):
            start = max(0, at - chance.randrange(0, 80))
            end = min(len(data), at + chance.randrange(1, 300))
            out.append(made.packet(side, data[start:end], seq=first + start))
            at = end
        out += chance.sample(out, 3)
        chance.shuffle(out)
        mixed += out
    assert bodies(read(packets.pcap([*made.packets, *mixed]))) == [ASKED, ANSWERED]


def test_several_exchanges_on_one_connection() -> None:
    """Keep-alive: each answer belongs to the request before it, and each pair is told apart."""
    other = captures.bent(REQUEST, b"ferry-1", b"ferry-2")
    traffic = read(packets.pcap(talk(REQUEST, ANSWER, other, ANSWER).packets))
    assert bodies(traffic) == [ASKED, ANSWERED, other.partition(b"\r\n\r\n")[2], ANSWERED]
    assert pairs.pairs(traffic.messages) == ((0, 1), (2, 3))
    assert [one.name for one in traffic.messages] == ["x.pcap", "x.pcap#2", "x.pcap#3", "x.pcap#4"]


def test_pipelining() -> None:
    """Two requests sent before the first answer are answered in order."""
    other = captures.bent(REQUEST, b"ferry-1", b"ferry-2")
    late = captures.bent(ANSWER, b"ferry-1", b"ferry-2")
    traffic = read(packets.pcap(talk(REQUEST + other, ANSWER + late).packets))
    assert [one.wire.status for one in traffic.messages] == [None, 200, None, 200]
    assert pairs.pairs(traffic.messages) == ((0, 1), (2, 3))
    assert b"ferry-2" in traffic.messages[3].wire.read()


def test_connections_side_by_side() -> None:
    """Two connections that take turns stay apart, ports used again included."""
    one, two = talk(REQUEST, ANSWER), talk(REQUEST, ANSWER, client=("192.0.2.7", 40124))
    turns = [packet for pair in zip(one.packets, two.packets, strict=True) for packet in pair]
    again = talk(REQUEST, ANSWER, start=(77_000, 88_000))
    traffic = read(packets.pcap([*turns, *again.packets]))
    assert bodies(traffic) == [ASKED, ANSWERED] * 3
    assert len({one.exchange for one in traffic.messages}) == 3
    assert pairs.pairs(traffic.messages) == ((0, 1), (2, 3), (4, 5))


def test_handshake_sent_again_is_the_same_connection() -> None:
    """A SYN that comes twice, or late, opens nothing new."""
    made = talk(REQUEST, ANSWER).packets
    assert bodies(read(packets.pcap([made[0], *made]))) == [ASKED, ANSWERED]
    assert bodies(read(packets.pcap([*made[1:5], made[0], *made[5:]]))) == [ASKED, ANSWERED]


def test_chunked() -> None:
    """Chunks are undone, with their trailer, and the next message is found behind them."""
    traffic = read(packets.pcap(talk(captures.chunked(), ANSWER, REQUEST, ANSWER).packets))
    assert bodies(traffic)[0].count(b"Envelope>") == 1
    assert bodies(traffic)[1:] == [ANSWERED, ASKED, ANSWERED]
    assert all(ids(one) == [] for one in traffic.messages)


def test_continue_is_no_answer() -> None:
    """100 Continue is passed over; the body that follows belongs to the head before it."""
    head, _, body = REQUEST.partition(b"\r\n\r\n")
    head += b"\r\nExpect: 100-continue\r\n\r\n"
    traffic = read(packets.pcap(talk(head, b"HTTP/1.1 100 Continue\r\n\r\n", body, ANSWER).packets))
    assert bodies(traffic) == [ASKED, ANSWERED]
    assert pairs.pairs(traffic.messages) == ((0, 1),)


def test_answer_until_the_connection_closes() -> None:
    """Without a length, the end of the connection ends the answer."""
    bare = ANSWER.replace(b"Content-Length", b"X-Length")
    [_, answer] = read(packets.pcap(talk(REQUEST, bare).packets)).messages
    assert answer.wire.read() == ANSWERED
    assert ids(answer) == []
    [_, answer] = read(packets.pcap(talk(REQUEST, bare).packets[:-2])).messages
    assert answer.wire.read() == ANSWERED
    assert ids(answer) == ["http/truncated"]


def test_missing_segment_is_told_and_refused() -> None:
    """A hole in a body is told with its place, the message refused, and what follows read all the same."""
    made = talk(REQUEST, ANSWER, REQUEST, ANSWER).packets
    assert len(made[4]) > 500
    traffic = read(packets.pcap([*made[:4], *made[5:]]))
    [hurt, *others] = traffic.messages
    assert ids(hurt) == ["http/truncated"]
    head = len(REQUEST) - len(ASKED)
    assert hurt.findings[0].where == f"byte {500 - head}"
    assert hurt.findings[0].detail.startswith(f"500 of {len(ASKED)} octets are not in the capture")
    assert hurt.wire.read() == ASKED[: 500 - head] + ASKED[1000 - head :]
    assert not verdict.judge(hurt).accepted
    assert [one.wire.read() for one in others] == [ANSWERED, ASKED, ANSWERED]
    assert all(verdict.judge(one).accepted for one in others)


def test_missing_chunk_is_told() -> None:
    """A hole among chunks ends the message; the next one is found."""
    made = talk(captures.chunked(), ANSWER, REQUEST, ANSWER).packets
    traffic = read(packets.pcap([*made[:4], *made[5:]]))
    assert ids(traffic.messages[0]) == ["http/truncated"]
    assert not verdict.judge(traffic.messages[0]).accepted
    assert bodies(traffic)[1:] == [ANSWERED, ASKED, ANSWERED]


def test_missing_end_and_missing_head() -> None:
    """A capture that ends within a body, or within a head, says so."""
    made = Talk().hello().say(0, REQUEST)
    [cut] = read(packets.pcap(made.packets[:-1])).messages
    assert ids(cut) == ["http/truncated"]
    made = Talk().hello().say(0, REQUEST.partition(b"\r\n\r\n")[0])
    [cut] = read(packets.pcap(made.packets)).messages
    assert ids(cut) == ["http/truncated"]
    assert "head" in cut.findings[0].detail


def test_connection_closed_early() -> None:
    """Octets that were promised and never sent are told as such."""
    promised = captures.dump(PACKED, length=len(BODY) + 100)
    [cut] = read(packets.pcap(talk(promised).packets)).messages
    assert "were never sent" in cut.findings[0].detail
    assert ids(cut) == ["http/truncated"]


def test_length_too_small() -> None:
    """A Content-Length that is too small is told, and the body taken as far as it goes."""
    short = captures.dump(PACKED, length=len(BODY) - 9)
    traffic = read(packets.pcap(talk(short, ANSWER, REQUEST, ANSWER).packets))
    assert ids(traffic.messages[0]) == ["http/content-length"]
    assert bodies(traffic) == [ASKED, ANSWERED, ASKED, ANSWERED]


def test_capture_begins_within_a_connection() -> None:
    """Without handshake, or in the middle of a message, the next whole message is the first; orphans stay alone."""
    made = talk(REQUEST, ANSWER, REQUEST, ANSWER).packets
    assert bodies(read(packets.pcap(made[3:]))) == [ASKED, ANSWERED] * 2
    traffic = read(packets.pcap(made[5:]))
    assert bodies(traffic) == [ANSWERED, ASKED, ANSWERED]
    assert pairs.pairs(traffic.messages) == ((1, 2),)


def test_deviating_heads_are_told() -> None:
    """What a strict parser would refuse is read, and found."""
    bent = ANSWER.replace(b"HTTP/1.1 200 Reason", b"HTTP/1.1200 Reason").replace(b"Content-Type:", b"Content-Type :")
    [_, answer] = read(packets.pcap(talk(REQUEST, bent).packets)).messages
    assert ids(answer) == ["http/status-line", "http/field-syntax"]
    assert answer.wire.read() == ANSWERED


def test_tls_and_http2_are_noted() -> None:
    """Connections that are no HTTP/1.x are left out, with a note."""
    hello = b"\x16\x03\x01\x02\x00" + bytes(512)
    traffic = read(packets.pcap(talk(hello).packets))
    assert traffic.messages == ()
    assert "192.0.2.7:40123 > 192.0.2.80:8007 is TLS" in traffic.notes[0]
    traffic = read(packets.pcap(talk(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").packets))
    assert traffic.messages == ()
    assert "is HTTP/2" in traffic.notes[0]


def test_other_traffic_is_left_out() -> None:
    """HTTP without MM7 is left out and counted; the answer to an MM7 request stays, whatever it is."""
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"
    traffic = read(packets.pcap(talk(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", page, REQUEST, page).packets))
    assert [one.wire.method for one in traffic.messages] == ["POST", None]
    assert traffic.notes == ("x.pcap: 1 HTTP exchanges carry no MM7 and are left out",)


def test_other_packets_are_left_out() -> None:
    """UDP, fragments, ARP, unknown link types and rubbish hurt nothing."""
    made = talk(REQUEST, ANSWER)
    fragment = bytearray(made.packet(0, b"x" * 40))
    fragment[6] = 0x20  # more fragments
    udp = packets.ip("192.0.2.7", "192.0.2.80", bytes(20), protocol=17)
    traffic = read(packets.pcap([udp, bytes(fragment), b"\x45", b"\x99" * 60, *made.packets], packets.RAW))
    assert bodies(traffic) == [ASKED, ANSWERED]
    assert sorted(traffic.notes) == [
        "x.pcap: 1 packets are left out: damaged",
        "x.pcap: 1 packets are left out: fragments of IP packets",
        "x.pcap: 1 packets are left out: no IP",
    ]
    assert read(packets.pcap(made.packets, 105)).notes == (
        f"x.pcap: {len(made.packets)} packets are left out: of link type 105, which is not read",
    )


def test_reset_carries_no_data() -> None:
    """What RST brings along is no part of a message; it ends the connection."""
    made = Talk().hello().say(0, REQUEST)
    made.packets.append(made.packet(1, b"HTTP/1.1 500 no\r\n\r\n", flags=RST | ACK))
    assert bodies(read(packets.pcap(made.packets))) == [ASKED]


def test_snapshot_length_is_told() -> None:
    """Packets that were cut by the capture are counted, and what is missing is told."""
    traffic = read(packets.pcap(talk(REQUEST, ANSWER).packets, snap=300))
    assert any("cut short by whoever captured" in note for note in traffic.notes)
    assert all("http/truncated" in ids(one) for one in traffic.messages)


def test_file_that_ends_early() -> None:
    """A file that ends within a packet is read as far as it goes."""
    for data in (packets.pcap(talk(REQUEST, ANSWER).packets), packets.pcapng(talk(REQUEST, ANSWER).packets)):
        traffic = read(data[:-5])
        assert bodies(traffic) == [ASKED, ANSWERED]
    traffic = read(packets.pcapng(talk(REQUEST, ANSWER).packets)[:-5])
    assert "ends or is damaged in the block at octet" in traffic.notes[0]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "begins with nothing"),
        (b"POST / HTTP/1.1\r\n", "neither pcap nor pcapng: it begins with 50 4f 53 54"),
        (b"\x1f\x8b\x08\x00", "run gunzip"),
        (b"\xd4\xc3\xb2\xa1\x02\x00", "ends within the header"),
    ],
)
def test_no_capture(data: bytes, says: str) -> None:
    """What is no capture is refused, with what it is and what to do."""
    with pytest.raises(CaptureError, match=says):
        read(data)


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packets, connections, messages and octets are bounded, and the error says how to get below."""
    data = packets.pcap(talk(REQUEST, ANSWER, REQUEST, ANSWER).packets)
    cases: list[tuple[object, str, int, str]] = [
        (pcap, "MAX_PACKETS", 5, "packets"),
        (pcap, "MAX_MESSAGES", 1, "messages"),
        (pcap, "MAX_FILE", 100, "octets"),
        (streams, "MAX_CONNECTIONS", 0, "connections"),
    ]
    for place, name, value, word in cases:
        with monkeypatch.context() as patch:
            patch.setattr(place, name, value)
            with pytest.raises(LimitError, match=rf"more than {value} .*{word}.*filter"):
                read(data)


def test_without_dpkt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extra is not installed, the error names it."""
    nothing: Callable[[str], None] = lambda name: None  # noqa: E731
    monkeypatch.setattr(extras, "find_spec", nothing)
    with pytest.raises(CaptureError, match=r"mm7zeep\[pcap\]"):
        read(packets.pcap([]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damage_raises_nothing_else(data: st.DataObject) -> None:
    """Octets changed, dropped or put in anywhere end in messages and notes, or in our own errors."""
    link = data.draw(st.sampled_from([*LINKS, 113, 276]))
    made = talk(captures.chunked(), ANSWER).packets
    whole = data.draw(st.sampled_from([packets.pcap(made, link), packets.pcapng(made, [link])]))
    octets = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(octets) - 1))
        match data.draw(st.integers(0, 2)):
            case 0:
                octets[at] = data.draw(st.integers(0, 255))
            case 1:
                del octets[at]
            case _:
                octets[at:at] = data.draw(st.binary(min_size=1, max_size=8))
    try:
        traffic = read(bytes(octets))
    except RemoteError:
        return
    for one in traffic.messages:
        assert one.kind in ("request", "response")
        assert verdict.judge(one).word in ("accept", "reject")


@settings(max_examples=100, deadline=None)
@given(pieces=st.lists(st.tuples(st.integers(0, 40), st.binary(max_size=12), st.sampled_from([ACK, ACK | FIN, SYN]))))
def test_streams_never_invent(pieces: list[tuple[int, bytes, int]]) -> None:
    """Whatever comes, the runs of a stream are in order, do not touch, and ``take`` gives what they hold."""
    from mm7zeep.conformance.input.frames import Segment

    here, there = ("192.0.2.1", 1), ("192.0.2.2", 2)
    connections = streams.Connections()
    for number, (seq, octets, flags) in enumerate(pieces, 1):
        connections.add(number, Segment(here, there, seq, flags, octets))
    for connection in connections:
        for stream in connection.streams():
            for before, after in zip(stream.runs, stream.runs[1:], strict=False):
                assert before.end < after.start
            for run in stream.runs:
                assert stream.take(run.start, run.end) == run.data != b""
                assert stream.run(run.start) is run
                assert stream.packet(run.start) >= 1
            if stream.runs:
                assert stream.end >= stream.runs[-1].end


@pytest.mark.parametrize(
    "line", [b"HTTP/1", b"HTTP/1.1 20", b"POST >HTTP/1.1 200 x HTTP/1.1\r\n", b"POST --HTTP/1.1 200 \r\n"]
)
def test_what_only_looks_like_a_start_line(line: bytes) -> None:
    """Something that begins as a message does and is none is passed over, and reading ends."""
    for said in (line, line + b"\r\n\r\n", line + b"\r\n" + REQUEST):
        traffic = read(packets.pcap(talk(said).packets))
        assert ASKED in bodies(traffic) or not said.endswith(REQUEST)
