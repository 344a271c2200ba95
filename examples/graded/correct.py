"""Sends each line of its input to a timestamp server and prints the reply, however the reply is cut into pieces."""

import socket
import sys

# What stands before the echo: "[", a time of 24 bytes, "] ".
STAMP = 27
PATIENCE_S = 3


def receive(server, length):
    """Reads on until a reply is complete: TCP has no messages, and one recv returns any piece of the stream."""
    reply = b""
    while len(reply) < length:
        piece = server.recv(length - len(reply))
        if not piece:
            raise ConnectionError(f"the reply ended after {len(reply)} of {length} bytes")
        reply += piece
    return reply


def main():
    host, port = sys.argv[1], int(sys.argv[2])
    with socket.create_connection((host, port), timeout=PATIENCE_S) as server:
        for line in sys.stdin:
            line = line.rstrip("\n").encode()
            server.sendall(line)
            # Decoded once all of it is there: a piece can end in the midst of a character.
            print(receive(server, STAMP + len(line)).decode(), flush=True)


try:
    main()
except OSError as error:
    sys.exit(f"no reply: {error}")
