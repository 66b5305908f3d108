"""outside.py outside LOG | host: what a test's outside serves, or what runs on its machine's loopback.

outside: pages at 198.51.100.1:8080, and where clouds have their metadata; an echo of datagrams; a name server, which
writes the names that it is asked for into LOG. A page says who asked for it.
"""
import http.server
import socket
import struct
import sys
import threading

ADDRESS = "198.51.100.1"


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = (self.client_address[0] + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def answer(query, limit, log):
    """Addresses of names in outside.test; many for the name `long`."""
    end = query.index(b"\0", 12) + 1
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode().lower())
        at += 1 + query[at]
    kind = struct.unpack_from(">H", query, end)[0]
    log.write("%s %d\n" % (".".join(labels), kind))
    question = query[12 : end + 4]
    known = labels[-2:] == ["outside", "test"] and labels[0] != "missing"
    count = 0 if kind != 1 or not known else 100 if labels[0] == "long" else 1
    records = b"".join(
        b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 300, 4) + socket.inet_aton("198.51.100.%d" % (1 + n)) for n in range(count)
    )
    authority = b"" if count else b"\0" + struct.pack(">HHIH", 6, 1, 60, 22) + b"\0\0" + struct.pack(">IIIII", 1, 1, 1, 1, 60)
    flags = 0x8180 | (0 if known else 3)
    if 12 + len(question) + len(records) + len(authority) > limit:
        flags, count, records = flags | 0x0200, 0, b""
    return query[:2] + struct.pack(">HHHHH", flags, 1, count, 1 if authority else 0, 0) + question + records + authority


def names_by_datagram(log):
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.bind((ADDRESS, 53))
    while True:
        query, client = link.recvfrom(4096)
        link.sendto(answer(query, 512, log), client)


def names_by_stream(log):
    listener = socket.create_server((ADDRESS, 53))
    while True:
        link = listener.accept()[0].makefile("rwb")
        message = answer(link.read(struct.unpack(">H", link.read(2))[0]), 65535, log)
        link.write(struct.pack(">H", len(message)) + message)
        link.close()


def echo():
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.bind((ADDRESS, 9000))
    while True:
        link.sendto(*link.recvfrom(4096))


def pages(address, port):
    http.server.ThreadingHTTPServer((address, port), Page).serve_forever()


if sys.argv[1] == "host":
    pages("127.0.0.1", 8081)
else:
    log = open(sys.argv[2], "w", buffering=1)
    for serve in [
        (pages, ADDRESS, 8080),
        (pages, "169.254.169.254", 80),
        (names_by_datagram, log),
        (names_by_stream, log),
    ]:
        threading.Thread(target=serve[0], args=serve[1:], daemon=True).start()
    echo()
