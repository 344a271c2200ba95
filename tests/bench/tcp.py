"""The article's TCP server, in our words: one client at a time, text in and text out, a line printed for
each. Standard output begins with its address; the rest is what the article prints."""

import socket
import time

with socket.create_server(("127.0.0.1", 0)) as server:
    print("%s:%d" % server.getsockname(), flush=True)
    while True:
        print("waiting for a connection")
        client, peer = server.accept()
        print("connected from", peer)
        with client:
            while line := client.recv(1024):
                client.send(f"[{time.ctime()}] {line.decode()}".encode())
