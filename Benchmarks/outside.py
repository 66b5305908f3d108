"""outside.py serve ADDRESS | outside.py measure ADDRESS: how fast a peer outside of a machine is.

Prints, as JSON: bytes a second to here and from here by one connection, the median round trip of a byte in ms, and new
connections a second.
"""
import json
import socket
import statistics
import sys
import threading
import time

PORT = 7000
BLOCK = b"\0" * (1 << 18)
SECONDS = 2


def serve(link):
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        kind = link.recv(1)
        if kind == b"d":
            while True:
                link.sendall(BLOCK)
        while kind == b"u" and link.recv(len(BLOCK)):
            pass
        while kind == b"e":
            byte = link.recv(1)
            if not byte:
                break
            link.sendall(byte)
    except OSError:
        pass
    link.close()


def connect(address, kind):
    link = socket.create_connection((address, PORT), timeout=10)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link.sendall(kind)
    return link


def for_a_while(step):
    """What `step` returns, summed up, a second."""
    begin, total = time.monotonic(), 0
    while time.monotonic() - begin < SECONDS:
        total += step()
    return total / (time.monotonic() - begin)


def measure(address):
    buffer = bytearray(len(BLOCK))
    with connect(address, b"d") as link:
        down = for_a_while(lambda: link.recv_into(buffer))
    with connect(address, b"u") as link:
        up = for_a_while(lambda: link.send(BLOCK))
    times = []
    with connect(address, b"e") as link:
        for _ in range(500):
            begin = time.monotonic()
            link.sendall(b"x")
            link.recv(1)
            times.append(time.monotonic() - begin)

    def once():
        connect(address, b"e").close()
        return 1

    return {"down": down, "up": up, "trip": statistics.median(times) * 1000, "connections": for_a_while(once)}


if sys.argv[1] == "serve":
    listener = socket.create_server((sys.argv[2], PORT), backlog=1024)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
else:
    print(json.dumps(measure(sys.argv[2])))
