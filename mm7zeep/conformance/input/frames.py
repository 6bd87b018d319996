"""Packets of a capture file: pcap and pcapng in every byte order, down to the TCP segments of IPv4 and IPv6.

dpkt takes the packets apart: BSD licence, pure Python, no dependencies, and it knows the link layers asked for. (scapy
is GPL; pypcapkit dissects every layer of every packet and is slow.) dpkt's own readers of files know one interface per
pcapng file, so the blocks are read here. Opens no file. Refuses, with ``CaptureError``, what is no capture.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from mm7zeep.conformance.input.traffic import CaptureError

PCAP_MAGIC = frozenset({0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34})  # microseconds, nanoseconds, and Kuznetsov's
_LONG_RECORD = 0xA1B2CD34  # its record headers have 8 octets more
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 0x0A0D0D0A, 1, 2, 3, 6
_BYTE_ORDER = 0x1A2B3C4D
_MAX_PACKET = 16 * 1024 * 1024  # octets; libpcap takes no more than 256 KiB, offloading interfaces make large ones

# https://www.tcpdump.org/linktypes.html
_NULL, _ETHERNET, _LOOP, _SLL, _SLL2 = 0, 1, 108, 113, 276
_RAW = frozenset({12, 14, 101, 228, 229})
_IPV4, _IPV6 = b"\x08\x00", b"\x86\xdd"

SYN, FIN, RST, ACK = 0x02, 0x01, 0x04, 0x10


@dataclass(frozen=True, slots=True)
class Frame:
    """One packet as captured: its link type, its octets, and whether the capture cut it short."""

    link: int
    data: bytes
    cut: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """One TCP segment. ``source`` and ``target`` are address and port."""

    source: tuple[str, int]
    target: tuple[str, int]
    seq: int
    flags: int
    data: bytes


def recognised(data: bytes) -> bool:
    """Whether ``data`` begins with a magic number of pcap or pcapng; four octets suffice."""
    if len(data) < 4:
        return False
    return any(struct.unpack(order + "I", data[:4])[0] in {*PCAP_MAGIC, _SECTION} for order in "<>")


def frames(name: str, data: bytes) -> Iterator[Frame | str]:
    """The packets of the capture called ``name``; then, where the file ends too early, a note that says so.

    Raises ``CaptureError`` if it is no capture.
    """
    if data.startswith(b"\x1f\x8b"):
        raise CaptureError(f"{name} is compressed; run gunzip first")
    if not recognised(data):
        shown = data[:4].hex(" ") or "nothing"
        raise CaptureError(f"{name} is neither pcap nor pcapng: it begins with {shown}. Save it as one of them")
    return _blocks(name, data) if data.startswith(b"\x0a\x0d\x0d\x0a") else _records(name, data)


def _records(name: str, data: bytes) -> Iterator[Frame | str]:
    """The records of a pcap file (draft-ietf-opsawg-pcap 4, 5)."""
    order = next(one for one in "<>" if struct.unpack(one + "I", data[:4])[0] in PCAP_MAGIC)
    if len(data) < 24:
        raise CaptureError(f"{name} ends within the header of the file. Capture again")
    extra = 8 if struct.unpack(order + "I", data[:4])[0] == _LONG_RECORD else 0
    link = struct.unpack(order + "I", data[20:24])[0] & 0xFFFF  # the upper bits speak of the frame check sequence
    head, at = struct.Struct(order + "8x2I"), 24
    while at < len(data):
        start = at + head.size + extra
        if start > len(data):
            yield f"{name} ends within a packet, at octet {len(data)}"
            return
        captured, length = head.unpack_from(data, at)
        if captured > _MAX_PACKET:
            yield f"{name} is damaged at octet {at}: a packet of {captured} octets; what follows is not read"
            return
        at = start + captured
        yield Frame(link, data[start:at], captured < length or at > len(data))


def _blocks(name: str, data: bytes) -> Iterator[Frame | str]:
    """The packet blocks of a pcapng file (draft-ietf-opsawg-pcapng 4), each by the link type of its interface."""
    order, at = "<", 0
    interfaces: list[tuple[int, int]] = []
    while at < len(data):
        if data[at : at + 4] == b"\x0a\x0d\x0d\x0a" and len(data) >= at + 12:  # a section may change the byte order
            order = "<" if struct.unpack_from("<I", data, at + 8)[0] == _BYTE_ORDER else ">"
            interfaces = []
        if at + 12 > len(data):
            yield f"{name} ends within a block, at octet {len(data)}"
            return
        kind, length = struct.unpack_from(order + "2I", data, at)
        if length < 12 or length > len(data) - at:
            yield f"{name} ends or is damaged in the block at octet {at}; what follows is not read"
            return
        body = data[at + 8 : at + length - 4]
        try:
            if kind == _INTERFACE:
                interfaces.append(struct.unpack_from(order + "H2xI", body))
            elif kind in (_PACKET, _OLD_PACKET, _SIMPLE_PACKET):
                yield _packet_block(kind, body, order, interfaces)
        except (struct.error, IndexError):
            yield f"{name} is damaged in the block at octet {at}; it is left out"
        at += length


def _packet_block(kind: int, body: bytes, order: str, interfaces: list[tuple[int, int]]) -> Frame:
    """Raises ``struct.error`` or ``IndexError`` for a block that is too short or of no interface."""
    if kind == _SIMPLE_PACKET:
        link, limit = interfaces[0]
        (length,) = struct.unpack_from(order + "I", body)
        captured, start = min(length, limit or length), 4
    else:
        form = "I8x2I" if kind == _PACKET else "H10x2I"
        number, captured, length = struct.unpack_from(order + form, body)
        link, start = interfaces[number][0], 20
    packet = body[start : start + captured]
    return Frame(link, packet, len(packet) < length)


# --- from the frame to the segment ------------------------------------------------------------------------------------


def segment(frame: Frame) -> Segment | str:
    """The TCP segment in a frame; or, in a few words, why there is none. Needs dpkt."""
    dpkt = _dpkt()
    try:
        packet = _network(frame)
        if not isinstance(packet, (dpkt.ip.IP, dpkt.ip6.IP6)):
            return packet if isinstance(packet, str) else "no IP"
        return _segment(packet)
    # dpkt raises these, too, for packets that lie about their lengths
    except (dpkt.Error, struct.error, ValueError, IndexError, KeyError, AttributeError, TypeError):
        return "damaged"


def _dpkt() -> Any:
    """The library, which publishes no types; loaded where a packet is to be read, as it is an extra."""
    return import_module("dpkt")


def _network(frame: Frame) -> Any:
    """The IP packet in a frame as dpkt reads it, or a reason."""
    dpkt = _dpkt()
    data, link = frame.data, frame.link
    if link in (_NULL, _LOOP):
        # The family stands in the byte order of whoever captured, and differs by system: the version says as much.
        return _by_version(data[4:])
    if link in _RAW:
        return _by_version(data)
    if link == _ETHERNET:
        return dpkt.ethernet.Ethernet(data).data
    if link == _SLL:
        kind, rest = data[14:16], data[16:]
    elif link == _SLL2:
        kind, rest = data[:2], data[20:]
    else:
        return f"of link type {link}, which is not read"
    # Behind the cooked head all is as behind an Ethernet head, VLAN tags included.
    return dpkt.ethernet.Ethernet(bytes(12) + kind + rest).data


def _by_version(data: bytes) -> Any:
    dpkt = _dpkt()
    version = data[0] >> 4
    if version not in (4, 6):
        return "no IP"
    return dpkt.ip.IP(data) if version == 4 else dpkt.ip6.IP6(data)


def _segment(packet: Any) -> Segment | str:
    dpkt = _dpkt()
    v4 = isinstance(packet, dpkt.ip.IP)
    if _fragment(packet):
        return "fragments of IP packets"
    tcp = packet.data
    if not isinstance(tcp, dpkt.tcp.TCP):
        return "no TCP"
    family = socket.AF_INET if v4 else socket.AF_INET6
    source, target = (socket.inet_ntop(family, one) for one in (packet.src, packet.dst))
    return Segment((source, tcp.sport), (target, tcp.dport), tcp.seq, tcp.flags, bytes(tcp.data))


def _fragment(packet: Any) -> bool:
    dpkt = _dpkt()
    if isinstance(packet, dpkt.ip.IP):
        return bool(packet.mf or packet.offset)
    found = packet.extension_hdrs.get(dpkt.ip.IP_PROTO_FRAGMENT)
    return found is not None and bool(found.frag_off or found.m_flag)
