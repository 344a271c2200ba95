// The kernel's own packets on the page: of its legs, and of a client without a page. Each is checked against what the
// server captured, and against what the bytes say.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { answered, eventually, finding, of, startServer, streamgram, tab, type, violations } from "./streamgram.mjs";

const onPage = streamgram();
const python = process.env.PYTHON3 ?? "python3";
const tshark = process.env.TSHARK ?? "tshark";

let off;
let folder;
before(async () => {
  off = await startServer("127.0.0.1:0", ["--capture", "off"]);
  folder = await mkdtemp(join(tmpdir(), "streamgram-"));
});
after(async () => {
  await off?.stop();
  if (folder) await rm(folder, { recursive: true });
});

/** A test of a page whose server captures; skipped with the reason where it may not. */
function whereCaptured(name, check, options) {
  test(name, async (context) => {
    await onPage(async (shared) => {
      const [{ capture }] = of(shared.events, "hello", undefined);
      if (capture !== "on") return context.skip(`this server does not capture packets: ${capture}`);
      await check({ ...shared, context });
    }, options)();
  });
}

/** What the ladder calls the packets of a protocol that are in sight. */
const labels = (page, protocol) =>
  page.locator(`.ladder-arrow[data-protocol=${protocol}] .ladder-label`).allTextContents();

/** Saves a file of packets; where it is then. */
async function saved(page, name) {
  const saving = page.waitForEvent("download");
  await page.locator(".packet-export").getByRole("button", { name, exact: true }).click();
  const file = join(folder, (await saving).suggestedFilename());
  await (await saving).saveAs(file);
  return file;
}

/** What the file of text calls the packets of a protocol: all of them, for the first time each. */
async function called(page, protocol) {
  const rows = (await readFile(await saved(page, "text"), "utf8")).split("\n").map((row) => row.split(" · "));
  const labels = rows.filter(([name]) => name === protocol).map(([, label]) => label);
  return labels.filter((label) => !label.endsWith(" again"));
}

/** The numbers of lines that a label names: `lines 3–5` and `line 7`. */
function named(labels, what) {
  const matches = labels.flatMap((label) => [...label.matchAll(new RegExp(`^${what}s? (\\d+)(?:–(\\d+))?`, "g"))]);
  return matches.flatMap(([, first, last = first]) =>
    Array.from({ length: last - first + 1 }, (_, at) => Number(first) + at),
  );
}

const ALL = Array.from({ length: 20 }, (_, at) => at + 1);

whereCaptured(
  "a direct burst shows the handshake, every line in its segments, and the ACKs, as they were captured",
  async ({ page, events }) => {
    await page.locator(".prompt-burst").click();
    for (const protocol of ["TCP", "UDP"]) await answered(page, protocol, 20);
    await tab(page, "export");
    let tcp;
    await eventually(async () => {
      const arrows = await page.locator(".ladder-window").getAttribute("data-arrows");
      assert.equal(Number(arrows), events.filter((event) => event.type === "captured").length);
      tcp = await called(page, "TCP");
      const udp = await called(page, "UDP");
      assert.deepEqual(tcp.slice(0, 3), ["SYN", "SYN ACK", "ACK"]);
      assert.deepEqual(named(tcp, "line"), ALL);
      assert.deepEqual(new Set(named(tcp, "(?:reply|replie)")), new Set(ALL));
      assert.ok(tcp.slice(3).includes("ACK"), tcp.join());
      assert.deepEqual(named(udp, "line"), ALL);
      assert.deepEqual(named(udp, "(?:reply|replie)"), ALL);
    });
    // A segment that is named after lines has these lines, and no others, in its bytes.
    const lines = ({ from, header, retransmission }) => from === "client" && header.tcp.length > 0 && !retransmission;
    const segments = of(events, "captured", "tcp").filter(lines);
    const carried = segments.map(({ hex, header }) => Buffer.from(hex, "hex").subarray(-header.tcp.length).toString());
    assert.deepEqual(
      tcp.filter((label) => label.startsWith("line")).map((label) => named([label], "line")),
      carried.map((text) => [...text.matchAll(/hello (\d+)/g)].map(([, number]) => Number(number))),
    );
    await page.locator(".ladder-names i", { hasText: "server" }).first().waitFor();
    assert.equal(await page.locator(".differs").count(), 0);
  },
);

whereCaptured("a packet says when it left and when it came, and what its header says", async ({ page }) => {
  await type(page, "hello");
  await answered(page, "TCP", 1);
  const window = page.locator(".ladder-window");
  await window.focus();
  const said = page.locator(".ladder-packet");
  for (const part of ["[SYN] seq 0", "client → server", /came \d+ µs after it left/]) {
    await page.keyboard.press("Home");
    await said.getByText(part).waitFor();
  }
  assert.deepEqual(await violations(page, ".ladder"), []);
});

whereCaptured("a second run has its own packets and not those of the first", async ({ page }) => {
  for (const text of ["first", "second"]) {
    await type(page, text);
    for (const protocol of ["TCP", "UDP"]) await answered(page, protocol, 1);
  }
  await eventually(async () => {
    const tcp = await labels(page, "TCP");
    assert.deepEqual([tcp[0], tcp.filter((label) => label.startsWith("line"))], ["line 1", ["line 1"]]);
    assert.deepEqual(await labels(page, "UDP"), ["line 1", "reply 1"]);
  });
});

/** Runs tshark on a file; its rows, or why it cannot be run. */
function read(file, ...fields) {
  const told = ["-o", "tcp.desegment_tcp_streams:FALSE", "-T", "fields", "-E", "separator=;"];
  const { error, status, stdout, stderr } = spawnSync(
    tshark,
    ["-r", file, ...told, ...fields.flatMap((field) => ["-e", field])],
    { encoding: "utf8" },
  );
  if (error) return { missing: `tshark is missing: ${error.message}` };
  assert.equal(status, 0, stderr);
  return { rows: stdout.split("\n").slice(0, -1).map((row) => row.split(";")) };
}

whereCaptured("tshark has nothing against a capture of the kernel's packets", async ({ page, events, context }) => {
  await page.locator(".prompt-burst").click();
  for (const protocol of ["TCP", "UDP"]) await answered(page, protocol, 20);
  await page.locator(".ladder-label", { hasText: "SYN ACK" }).waitFor();
  await tab(page, "export");
  for (const end of ["client", "server"]) {
    const fields = ["frame.time_epoch", "frame.len", "frame.cap_len", "tcp.flags.str", "udp.length"];
    const complaints = ["_ws.malformed", "tcp.analysis.lost_segment", "tcp.analysis.retransmission"];
    const { missing, rows } = read(await saved(page, `pcapng, ${end}`), ...fields, ...complaints);
    if (missing) return context.skip(missing);
    assert.equal(rows.filter(([, , , flags]) => flags.includes("S")).length, 2);
    assert.equal(rows.filter(([, , , , length]) => length !== "").length, 40);
    // A kernel that is kept waiting probes for a lost tail, on loopback too.
    const again = of(events, "captured", "tcp").some((event) => event.retransmission);
    for (const [time, length, kept, , , malformed, missed, repeated] of rows) {
      assert.ok(Math.abs(Number(time) * 1_000 - Date.now()) < 60_000, time);
      assert.equal(length, kept);
      assert.deepEqual([malformed, missed, again ? "" : repeated], ["", "", ""]);
    }
    assert.deepEqual(rows.map(([time]) => time), rows.map(([time]) => time).sort());
  }
});

/** A client as a person writes it after the article: it sends a line without a newline, and reads what comes back. */
const CLIENT = `
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as own:
    for line in sys.stdin.read().splitlines():
        own.sendall(line.encode())
        print(own.recv(1024).decode())
`;

whereCaptured(
  "a Python client beside the page is there with its own SYN, data and FIN within a second of its end",
  async ({ page, server, context }) => {
    const at = server.tcp.lastIndexOf(":");
    const child = spawn(python, ["-c", CLIENT, server.tcp.slice(0, at), server.tcp.slice(at + 1)], {
      stdio: ["pipe", "ignore", "inherit"],
    });
    const ended = once(child, "close");
    child.stdin.end("hello\nagain, and longer\n");
    const failed = await Promise.race([ended.then(() => false), once(child, "error").then(([error]) => error)]);
    if (failed) return context.skip(`python3 is missing: ${failed.message}`);
    const end = performance.now();
    await page.locator(".client-line").first().click();
    let shown;
    await eventually(async () => {
      shown = await labels(page, "TCP");
      for (const label of ["SYN", "SYN ACK", "5 bytes", "reply 1", "17 bytes", "reply 2"]) {
        assert.equal(shown.filter((it) => it === label).length, 1, `${label}: ${shown}`);
      }
      assert.equal(shown.filter((it) => it.startsWith("FIN")).length, 2, shown.join());
    });
    const took = performance.now() - end;
    console.log(`the ladder of a client was whole ${took.toFixed(0)} ms after its end`);
    assert.ok(took < 1_000, `${took} ms`);
    assert.equal(shown[0], "SYN");
    assert.deepEqual(await violations(page, ".client-result"), []);
    await page.locator(".packet-export").getByRole("button", { name: "pcapng, server" }).waitFor();
  },
);

test(
  "where the server does not capture, the ladder's place says so, of a run and of a client",
  onPage(
    async ({ page, events }) => {
      assert.equal(of(events, "hello", undefined)[0].capture, "off");
      await type(page, "hello");
      await answered(page, "TCP", 1);
      assert.equal(await page.locator(finding("TCP")).count(), 1);
      await tab(page, "ladder");
      const nothing = page.locator(".ladder-empty");
      await nothing.getByText("This server does not capture packets (--capture off).").waitFor();
      await nothing.getByText("Choose a link").waitFor();
      assert.equal(events.filter((event) => event.type === "captured").length, 0);
    },
    { http: () => off.http, viewport: { width: 390, height: 844 } },
  ),
);
