"""Three lines over asyncio's streams, or as datagrams: each thing that happens is a line of JSON."""

import asyncio
import json
import sys

PROTOCOL, PORT = sys.argv[1], int(sys.argv[2])
LINES = [b"one\n", b"two\n", b"three\n"]
PAUSE = 0.05
REPLIES = 3


def tell(**event):
    print(json.dumps(event), flush=True)


async def tcp():
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)

    async def write():
        try:
            for line in LINES:
                writer.write(line)
                await writer.drain()
                await asyncio.sleep(PAUSE)
        except OSError as error:
            tell(error=f"drain: {type(error).__name__}")

    writing = asyncio.create_task(write())
    lines = 0
    while lines < REPLIES and (data := await reader.read(65_536)):
        ends = data.count(b"\n")
        tell(read=len(data), lines=ends)
        lines += ends
    if lines < REPLIES:
        tell(end="b'' is returned")
    await writing
    writer.close()


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, done):
        self.done, self.replies = done, 0

    def datagram_received(self, data, _):
        tell(read=len(data))
        self.replies += 1
        if self.replies == REPLIES:
            self.done.set()

    def error_received(self, error):
        tell(error=f"error_received: {type(error).__name__}")


async def udp():
    done = asyncio.Event()
    to = ("127.0.0.1", PORT)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Datagrams(done), remote_addr=to)
    for line in LINES:
        transport.sendto(line)
        await asyncio.sleep(PAUSE)
    await done.wait()


try:
    asyncio.run(tcp() if PROTOCOL == "tcp" else udp())
except OSError as error:
    tell(error=type(error).__name__)
    sys.exit(1)
