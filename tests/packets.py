"""Network captures for tests, octet by octet: TCP conversations, the layers around them, the files that hold them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

NULL, ETHERNET, RAW, LOOP, SLL, IPV6_RAW, SLL2 = 0, 1, 101, 108, 113, 229, 276
FIN, SYN, RST, ACK = 1, 2, 4, 16


@dataclass
class Talk:
    """A TCP connection: what each side says becomes IP packets, in order. ``start`` are the first sequence numbers."""

    client: tuple[str, int] = ("192.0.2.7", 40123)
    server: tuple[str, int] = ("192.0.2.80", 8007)
    start: tuple[int, int] = (1000, 2**32 - 700)  # the server's numbers wrap
    packets: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.next = list(self.start)

    def packet(self, side: int, data: bytes = b"", *, flags: int = ACK, seq: int | None = None) -> bytes:
        """One IP packet from the client (0) or the server (1)."""
        source, target = (self.client, self.server) if side == 0 else (self.server, self.client)
        number = self.next[side] if seq is None else seq
        tcp = struct.pack(">2H2I2B3H", source[1], target[1], number % 2**32, 0, 6 << 4, flags, 65535, 0, 0)
        return ip(source[0], target[0], tcp + b"\x01\x01\x01\x00" + data)  # with options

    def hello(self) -> Talk:
        """The handshake."""
        self.packets += [self.packet(0, flags=SYN), self.packet(1, flags=SYN | ACK)]
        self.next = [self.next[0] + 1, self.next[1] + 1]
        self.packets.append(self.packet(0))
        return self

    def say(self, side: int, data: bytes, *, size: int = 500) -> Talk:
        """Send ``data`` in segments of ``size`` octets."""
        for at in range(0, len(data), size):
            piece = data[at : at + size]
            self.packets.append(self.packet(side, piece))
            self.next[side] += len(piece)
        return self

    def bye(self) -> Talk:
        """Close both sides."""
        self.packets += [self.packet(1, flags=FIN | ACK), self.packet(0, flags=FIN | ACK)]
        return self


def ip(source: str, target: str, payload: bytes, protocol: int = 6) -> bytes:
    """An IPv4 or IPv6 packet."""
    if ":" in source:
        addresses = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target)
        return struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + addresses + payload
    addresses = socket.inet_aton(source) + socket.inet_aton(target)
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0) + addresses + payload


def framed(packet: bytes, link: int, *, vlan: int = 0) -> bytes:
    """``packet`` in its link layer, with ``vlan`` VLAN tags."""
    six = packet[0] >> 4 == 6
    kind = b"\x86\xdd" if six else b"\x08\x00"
    tags = b"".join(b"\x81\x00" + struct.pack(">H", 7 + n) for n in range(vlan))
    if link == ETHERNET:
        padding = bytes(max(0, 46 - len(packet)))
        return bytes(range(12)) + tags + kind + packet + padding
    tagged = tags + kind  # in a cooked head, the first type stands in the head
    if link == SLL:
        return bytes([0, 0, 0, 1, 0, 6, *range(8)]) + tagged[:2] + tagged[2:] + packet
    if link == SLL2:
        return tagged[:2] + bytes([0, 0, 0, 0, 0, 3, 0, 1, 0, 6, *range(8)]) + tagged[2:] + packet
    if link == NULL:
        return struct.pack("<I", 30 if six else 2) + packet
    if link == LOOP:
        return struct.pack(">I", 24 if six else 2) + packet
    return packet


def pcap(
    packets: Iterable[bytes], link: int = ETHERNET, *, magic: int = 0xA1B2C3D4, order: str = "<", snap: int = 2**18
) -> bytes:
    """A pcap file of these IP packets, each cut to ``snap`` octets."""
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, link)]
    for number, packet in enumerate(packets):
        frame = framed(packet, link)
        out.append(struct.pack(order + "4I", number, 0, min(len(frame), snap), len(frame)))
        out.append((bytes(8) if magic == 0xA1B2CD34 else b"") + frame[:snap])
    return b"".join(out)


def pcapng(packets: Sequence[bytes], links: Sequence[int] = (ETHERNET,), *, order: str = "<", block: int = 6) -> bytes:
    """A pcapng file: an interface for each of ``links``, the packets dealt out in blocks of type ``block``."""
    out = [_block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))]
    comment = struct.pack(order + "HH", 1, 3) + b"\xff\xfe!\0" + bytes(4)  # whatever the charset
    out += [_block(order, 1, struct.pack(order + "HHI", link, 0, 0) + comment) for link in links]
    out.append(_block(order, 5, bytes(12)))  # statistics
    for number, packet in enumerate(packets):
        interface = number % len(links)
        frame = framed(packet, links[interface])
        if block == 3:
            out.append(_block(order, 3, struct.pack(order + "I", len(frame)) + frame))
        else:
            head = struct.pack(order + ("I" if block == 6 else "HH"), *([interface] if block == 6 else [interface, 0]))
            out.append(
                _block(order, block, head + struct.pack(order + "4I", 0, number, len(frame), len(frame)) + frame)
            )
    return b"".join(out)


def _block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length
