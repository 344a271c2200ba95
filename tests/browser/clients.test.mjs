// Clients that come without the page: nc, Python, plain sockets. Each as a process or socket of its own.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { after, before, test } from "node:test";

import { eventually, finding, startServer, streamgram, type } from "./streamgram.mjs";

const onPage = streamgram();
const python = process.env.PYTHON3 ?? "python3";

let server;
before(async () => (server = await startServer()));
after(() => server.stop());
const ours = { http: () => server.http };

/** Host and port of an address. */
function parts(address) {
  const at = address.lastIndexOf(":");
  return [address.slice(0, at), address.slice(at + 1)];
}

/** Runs a program with this on its standard input; what it prints. */
async function run(program, input) {
  const child = spawn(program[0], program.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stdin.end(input);
  await once(child, "close");
  return output;
}

/** Says this over TCP with nc, and ends it once it was answered; every nc knows how to do that. */
async function netcat(host, port, text) {
  const child = spawn(process.env.NC ?? "nc", [host, port], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  child.stdin.write(text);
  const reply = once(child.stdout, "data");
  const [chunk] = await Promise.race([reply, ended.then(() => Promise.reject(new Error("nc ended")))]);
  child.kill();
  await ended;
  return String(chunk);
}

/** A client as the article has it: no newline goes out, at most 1,024 bytes are read. */
const PYTHON = `
import socket, sys
kind, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
stream = kind == "tcp"
with socket.socket(socket.AF_INET, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM) as own:
    if stream:
        own.connect((host, port))
    for line in sys.stdin.read().split("\\n"):
        own.send(line.encode()) if stream else own.sendto(line.encode(), (host, port))
        print(own.recv(1024).decode())
`;

const client = (text) => [".client-line", { hasText: text }];

for (const [locale, reads] of [
  ["en-US", "1 read"],
  ["zh-CN", "1 次读取"],
]) {
  for (const width of [1440, 390]) {
    test(
      `nc and Python appear as the server sees them, ${locale}, ${width} pixels`,
      onPage(
        async ({ page }) => {
          const [host, port] = parts(server.tcp);
          const before = await page.locator(".client-line").count();
          /** So many clients more are on the page, within a second of the end of the last one. */
          const appeared = async (clients) => {
            const ended = performance.now();
            await eventually(async () => {
              assert.equal((await page.locator(".client-line").count()) - before, clients);
            }, 1_000);
            console.log(`client ${clients} is on the page ${Math.round(performance.now() - ended)} ms after its end`);
          };
          assert.match(await netcat(host, port, "hello nc"), /^\[.{24}\] hello nc$/);
          await appeared(1);
          const [udpHost, udpPort] = parts(server.udp);
          assert.match(await run([python, "-c", PYTHON, "tcp", host, port], "你好"), /\] 你好\n$/);
          await appeared(2);
          const times = await run([python, "-c", PYTHON, "udp", udpHost, udpPort], "a\nb");
          assert.match(times, /^.{24}\n.{24}\n$/);
          await appeared(3);
          const [datagrams, scripted, nc] = await page.locator(".client-line").all();
          assert.match(await nc.innerText(), new RegExp(reads));
          assert.match(await scripted.innerText(), /FIN/);
          assert.match(await datagrams.innerText(), /UDP/);
          await nc.click();
          const result = page.locator(".client-result");
          await result.getByText("hello nc", { exact: true }).first().waitFor();
          assert.equal(await result.locator(".strip-row").count(), 2);
          assert.match(await result.locator(".client-reads tbody tr").first().innerText(), /\+.+s\s+8 .+s/);
          await result.locator(".client-tools [aria-pressed=false]").click();
          await result.getByText("68 65 6c 6c 6f 20 6e 63", { exact: true }).waitFor();
          const wide = await page.evaluate(() => document.documentElement.scrollWidth);
          assert.equal(wide, width);
        },
        { ...ours, locale, viewport: { width, height: 900 } },
      ),
    );
  }
}

test(
  "hostile bytes of an external client stay text",
  onPage(async ({ page }) => {
    const [host, port] = parts(server.tcp);
    const hostile = "<img src=x onerror=alert(1)>\u202e\u001b[2J\0";
    const socket = connect(Number(port), host);
    await once(socket, "connect");
    const own = client(`:${socket.localPort} `);
    socket.resume().end(hostile);
    await once(socket, "close");
    await page.locator(...own).click();
    const code = page.locator(".client-bytes code").first();
    await code.getByText("<img src=x onerror=alert(1)>").waitFor();
    assert.match(await code.innerText(), /\\u\{202e\}\\x1b\[2J\\x00/);
    assert.equal(await page.locator(".client-result img").count(), 0);
  }, ours),
);

/** Lines of the file that a button of the result saves. */
async function saved(page, name) {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.locator(".client-result").getByRole("button", { name }).click(),
  ]);
  return (await readFile(await download.path(), "utf8")).trimEnd().split("\n");
}

test(
  "a client that writes more than 1,024 bytes at once is answered twice, and its files have each time",
  onPage(async ({ page }) => {
    const [host, port] = parts(server.tcp);
    const socket = connect(Number(port), host);
    await once(socket, "connect");
    const own = client(`:${socket.localPort} `);
    socket.resume().end("你".repeat(500));
    await once(socket, "close");
    await page.locator(...own).click();
    const result = page.locator(".client-result");
    const meaning = result.locator(".finding-meaning", { hasText: "FIN" });
    await meaning.waitFor();
    assert.match(await meaning.innerText(), /Reads 1–2 .* answered 2 times\. Read 1 ends inside a UTF-8 character/);
    assert.equal(await result.locator(".client-reads tbody").count(), 2);
    const records = (await saved(page, "JSON Lines")).map((line) => JSON.parse(line));
    const types = ["accepted", "read", "reply", "read", "reply", "closed"];
    assert.deepEqual(records.map((record) => record.type), types);
    assert.ok(records.every(({ at }, n) => n === 0 || records[n - 1].at <= at));
    assert.equal((await saved(page, "text file")).length, types.length);
  }, ours),
);

test(
  "a connection that is reset says so",
  onPage(async ({ page }) => {
    const [host, port] = parts(server.tcp);
    const socket = connect(Number(port), host);
    await once(socket, "connect");
    socket.write("x");
    await once(socket, "data");
    socket.resetAndDestroy();
    await page.locator(...client("RST")).first().waitFor();
  }, ours),
);

test(
  "of a thousand external clients at once the newest are kept, the others counted, and the page goes on",
  onPage(
    async ({ page }) => {
      const { tcp, udp } = server;
      const [host, port] = parts(tcp);
      const [udpHost, udpPort] = parts(udp);
      const sockets = Array.from({ length: 1_000 }, () => connect(Number(port), host));
      try {
        await Promise.all(sockets.map((socket) => once(socket, "connect")));
        const replies = sockets.map((socket) => once(socket, "data"));
        sockets.forEach((socket, n) => socket.write(`client ${n}`));
        await Promise.all(replies);
        await type(page, "meanwhile");
        await page.locator(finding("TCP", ".reply"), { hasText: "] meanwhile" }).waitFor();
        const datagram = createSocket("udp4");
        datagram.send("last", Number(udpPort), udpHost);
        await once(datagram, "message");
        datagram.close();
        await page.locator(".client-line[data-protocol=UDP]").first().waitFor();
        assert.equal(await page.locator(".client-line").count(), 100);
        const text = await page.locator(".clients").innerText();
        assert.match(text, /older clients were removed|came too fast/);
      } finally {
        sockets.forEach((socket) => socket.destroy());
      }
    },
    ours,
  ),
);

let silent;
before(async () => (silent = await startServer("127.0.0.1:0", ["--feed", "off"])));
after(() => silent.stop());

test(
  "a server that tells nothing of external clients says so",
  onPage(
    async ({ page }) => {
      await page.locator(".clients", { hasText: "--feed off" }).waitFor();
      assert.equal(await page.locator(".notice").innerText(), "");
    },
    { http: () => silent.http },
  ),
);
