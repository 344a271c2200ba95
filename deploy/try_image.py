"""Asks a server in a container, through its published ports: the page, TCP and UDP. Ends with 1 if one does not
answer in time."""

import socket
import sys
import time
import urllib.request

PATIENCE_S = 20
HTTP, TCP, UDP = (int(port) for port in (sys.argv[1:] or [8000, 25677, 23135]))


def page():
    with urllib.request.urlopen(f"http://127.0.0.1:{HTTP}/", timeout=PATIENCE_S) as answer:
        return b"<script" in answer.read()


def tcp():
    with socket.create_connection(("127.0.0.1", TCP), timeout=PATIENCE_S) as client:
        client.sendall(b"hello")
        reply = b""
        while not reply.endswith(b"] hello"):
            piece = client.recv(64)
            if not piece:
                return False
            reply += piece
        return True


def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(1)
        client.sendto(b"hello", ("127.0.0.1", UDP))
        return len(client.recv(64)) == len("Mon Nov 23 05:52:57 2026")


for name, asks in [("page", page), ("TCP", tcp), ("UDP", udp)]:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            answered = asks()
            break
        except OSError as error:
            # It may be starting.
            if time.monotonic() > end:
                sys.exit(f"{name}: {error}")
            time.sleep(0.1)
    if not answered:
        sys.exit(f"{name}: the answer is another than expected")
    print(f"{name} answers")
