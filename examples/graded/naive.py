"""Sends each line of its input to a timestamp server and prints the reply. It takes what one recv returns for a reply."""

import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
with socket.create_connection((host, port)) as server:
    for line in sys.stdin:
        line = line.rstrip("\n")
        server.sendall(line.encode())
        print(server.recv(1024).decode())
