"""lookup.py TYPE NAME: asks the first name server of /etc/resolv.conf, without its search paths; a line a record.

Debian has no resolver tool of its own that knows SRV and PTR, and the tests install none.
"""
import socket
import struct
import sys

TYPES = {"A": 1, "CNAME": 5, "PTR": 12, "SRV": 33}


def name_at(message, at):
    """A name and where it ends, following pointers."""
    labels, end = [], None
    while message[at]:
        if message[at] >= 0xC0:
            end = end or at + 2
            at = struct.unpack_from(">H", message, at)[0] & 0x3FFF
        else:
            labels.append(message[at + 1 : at + 1 + message[at]].decode())
            at += 1 + message[at]
    return ".".join(labels), end or at + 1


def value(message, kind, at):
    if kind == TYPES["A"]:
        return socket.inet_ntoa(message[at : at + 4])
    if kind == TYPES["SRV"]:
        return "%d %d %d " % struct.unpack_from(">HHH", message, at) + name_at(message, at + 6)[0]
    return name_at(message, at)[0]


kind, name = TYPES[sys.argv[1]], sys.argv[2]
server = next(line.split()[1] for line in open("/etc/resolv.conf") if line.startswith("nameserver"))
query = struct.pack(">HHHHHH", 4711, 0x0100, 1, 0, 0, 0)
query += b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + struct.pack(">BHH", 0, kind, 1)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
    link.settimeout(5)
    link.sendto(query, (server, 53))
    answer = link.recv(4096)
_, flags, _, count, _, _ = struct.unpack_from(">HHHHHH", answer)
if flags & 15:
    sys.exit({3: "NXDOMAIN"}.get(flags & 15, "rcode %d" % (flags & 15)))
at = name_at(answer, 12)[1] + 4
for _ in range(count):
    at = name_at(answer, at)[1]
    kind, _, _, length = struct.unpack_from(">HHIH", answer, at)
    print(next(k for k, v in TYPES.items() if v == kind), value(answer, kind, at + 10))
    at += 10 + length
