"""The article's UDP server, in our words: each datagram is answered with the time, and two lines are
printed for it. Standard output begins with its address; the rest is what the article prints."""

import socket
import time

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind(("127.0.0.1", 0))
    print("%s:%d" % server.getsockname(), flush=True)
    while True:
        print("waiting for a message")
        _, peer = server.recvfrom(1024)
        server.sendto(time.ctime().encode(), peer)
        print("answered", peer)
