// A client in Node, tested against a server that loses replies: node --test client.test.mjs
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import dgram from "node:dgram";
import { once } from "node:events";
import readline from "node:readline";
import { after, before, test } from "node:test";

const streamgram = process.env.STREAMGRAM_BIN ?? "streamgram";
const free = ["--http=127.0.0.1:0", "--tcp=127.0.0.1:0", "--udp=127.0.0.1:0"];
let peer, addresses;

before(async () => {
  peer = spawn(streamgram, [...free, "--log=warn", "--fault-udp=127.0.0.1:0;lossy;seed=7"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  // The first line says where everything listens.
  const [line] = await once(readline.createInterface(peer.stdout), "line");
  addresses = JSON.parse(line);
});

after(() => peer.kill());

// The client under test: sends a question again until there is an answer, a limited number of times.
async function ask(socket, question, [host, port], tries = 10) {
  for (let sent = 1; sent <= tries; sent++) {
    socket.send(question, port, host);
    try {
      const [reply] = await once(socket, "message", { signal: AbortSignal.timeout(1000) });
      return { reply: reply.toString(), sent };
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }
  throw new Error(`no reply to ${tries} datagrams`);
}

test("a question whose answer is lost is sent again", async () => {
  const [host, port] = addresses.faults[0].address.split(":");
  const socket = dgram.createSocket("udp4");
  let sent = 0;
  for (let question = 0; question < 8; question++) {
    const answer = await ask(socket, "what time is it", [host, Number(port)]);
    assert.match(answer.reply, /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/);
    sent += answer.sent;
  }
  const url = `http://${addresses.http}/api/clients?port=${socket.address().port}`;
  socket.close();
  const [head, ...lines] = (await (await fetch(url)).text()).trim().split("\n").map(JSON.parse);
  const seen = lines.map(({ event }) => event.raw.observation);
  assert.equal(seen.filter((it) => it.datagram).length, sent);
  assert.equal(seen.filter((it) => it.fault?.dropped).length, sent - 8);
  assert.equal(head.journal.gone_observations, 0);
});
