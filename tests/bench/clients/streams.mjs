// Three lines over node:net, or as datagrams over node:dgram: each thing that happens is a line of JSON.

import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { setTimeout } from "node:timers/promises";

const [protocol, port] = [process.argv[2], Number(process.argv[3])];
const LINES = ["one\n", "two\n", "three\n"];
const PAUSE_MS = 50;
const REPLIES = 3;

const tell = (event) => console.log(JSON.stringify(event));

async function tcp() {
  const socket = connect(port, "127.0.0.1");
  let lines = 0;
  socket.on("data", (data) => {
    const ends = data.filter((byte) => byte === 0x0a).length;
    tell({ read: data.length, lines: ends });
    lines += ends;
    if (lines === REPLIES) socket.end();
  });
  socket.on("end", () => lines < REPLIES && tell({ end: "'end'" }));
  socket.on("error", (error) => {
    tell({ error: `'error' ${error.code}` });
    process.exitCode = 1;
  });
  for (const line of LINES) {
    if (!socket.destroyed && !socket.writableEnded) socket.write(line);
    await setTimeout(PAUSE_MS);
  }
}

async function udp() {
  const socket = createSocket("udp4");
  let replies = 0;
  socket.on("message", (data, from) => {
    tell({ read: data.length, ...(from.port === port ? {} : { stranger: true }) });
    replies += 1;
    if (replies === REPLIES) socket.close();
  });
  socket.on("error", (error) => tell({ error: `'error' ${error.code}` }));
  for (const line of LINES) {
    socket.send(line, port, "127.0.0.1");
    await setTimeout(PAUSE_MS);
  }
}

await (protocol === "tcp" ? tcp() : udp());
