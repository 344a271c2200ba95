"""A client with a reader thread: sends a burst over UDP, then one over TCP, and prints the round trip of every line
in microseconds. Over TCP a line is answered when the reply bytes that cover its last one are back."""

import json
import socket
import sys
import threading
import time

LINE = b"0123456789abcdef"
STAMP = len("[Mon Nov 23 05:52:57 2026] ")


def burst(client, count, answered):
    """Sends the lines; `answered` says how many are, after each read."""
    sent, back = [], []

    def read():
        while len(back) < count:
            received = client.recv(4096)
            now = time.perf_counter_ns()
            back.extend([now] * (answered(received) - len(back)))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(count):
        sent.append(time.perf_counter_ns())
        client.send(LINE)
    reader.join()
    return [(back - sent) / 1000 for sent, back in zip(sent, back)]


class Datagrams:
    def __init__(self):
        self.received = 0

    def __call__(self, _reply):
        self.received += 1
        return self.received


class Stream:
    def __init__(self):
        self.echoed = self.stamp_left = 0

    def __call__(self, piece):
        while piece:
            if self.stamp_left == 0 and piece.startswith(b"["):
                self.stamp_left = STAMP
            if self.stamp_left > 0:
                taken = min(self.stamp_left, len(piece))
                self.stamp_left -= taken
            else:
                taken = piece.find(b"[") if b"[" in piece else len(piece)
                self.echoed += taken
            piece = piece[taken:]
        return self.echoed // len(LINE)


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


tcp, udp, count = sys.argv[1:]
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.connect(address(udp))
    over_udp = burst(client, int(count), Datagrams())
with socket.create_connection(address(tcp)) as client:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    over_tcp = burst(client, int(count), Stream())
print(json.dumps({"udp": over_udp, "tcp": over_tcp}))
