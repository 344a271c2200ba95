"""A client in Python, tested against a server that splits its replies: python3 -m unittest client_test.py"""

import json
import os
import socket
import subprocess
import unittest
import urllib.request

STREAMGRAM = os.environ.get("STREAMGRAM_BIN", "streamgram")
FREE = ["--http=127.0.0.1:0", "--tcp=127.0.0.1:0", "--udp=127.0.0.1:0"]


def ask(server, line):
    """The client under test: sends a line and returns the reply, which is 27 bytes longer."""
    server.sendall(line)
    reply = b""
    while len(reply) < len(line) + 27:
        piece = server.recv(4096)
        if not piece:
            raise ConnectionError("the reply is not complete")
        reply += piece
    return reply


class ClientTest(unittest.TestCase):
    def setUp(self):
        command = [STREAMGRAM, *FREE, "--log=warn", "--fault-tcp=127.0.0.1:0;split;seed=7"]
        self.peer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.peer.stdout.close)
        self.addCleanup(self.peer.wait)
        self.addCleanup(self.peer.terminate)
        # The first line says where everything listens.
        self.addresses = json.loads(self.peer.stdout.readline())

    def seen(self, port):
        """What the server saw of the client with this port, once it has seen its end."""
        url = f"http://{self.addresses['http']}/api/clients?port={port}"
        while True:
            with urllib.request.urlopen(url, timeout=5) as answer:
                head, *lines = [json.loads(line) for line in answer]
            seen = [line["event"]["raw"]["observation"] for line in lines if "raw" in line["event"]]
            if any("closed" in observation for observation in seen):
                return seen

    def test_a_reply_in_pieces_is_one_reply(self):
        host, port = self.addresses["faults"][0]["address"].split(":")
        with socket.create_connection((host, int(port)), timeout=5) as server:
            own_port = server.getsockname()[1]
            self.assertTrue(ask(server, b"hello").endswith(b"] hello"))
        seen = self.seen(own_port)
        reads = [observation["read"]["data"]["text"] for observation in seen if "read" in observation]
        self.assertEqual(reads, ["hello"])
        self.assertIn({"closed": {"cause": "peer_closed"}}, seen)


if __name__ == "__main__":
    unittest.main()
