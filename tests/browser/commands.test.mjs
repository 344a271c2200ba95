// The commands of the page, pasted into a shell: they say to the servers what the page said, byte by byte.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { after, before, test } from "node:test";

import { answered, eventually, socket, streamgram, tab } from "./streamgram.mjs";

const onPage = streamgram();

const CTIME = String.raw`[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}`;
const HOSTILE = String.raw`'; touch owned; '"$(touch owned)` + "`touch owned`" +
  String.raw` \ \n %s%n%% $HOME !! !touch ??/ */ // {n} {{n}} ${"$"}{n} #{n} <b> & | ; > owned ` +
  "\u202e\u200b\u00a0你好，é 😀";

let folder;
before(async () => (folder = await mkdtemp(join(tmpdir(), "streamgram-"))));
after(() => rm(folder, { recursive: true }));

/** Where a program is, if it is on this machine. */
function found(program) {
  if (isAbsolute(program)) return existsSync(program) ? program : undefined;
  const places = process.env.PATH.split(delimiter).map((folder) => join(folder, program));
  return places.find((place) => existsSync(place));
}

/** Tools by the place of their button, what they need, and under which name the command calls that. */
const TOOLS = [
  { place: 0, needs: process.env.NC ?? "nc", called: "nc" },
  { place: 0, needs: "nc.openbsd", called: "nc" },
  { place: 0, needs: "nc.traditional", called: "nc" },
  { place: 1, needs: process.env.PYTHON3 ?? "python3", called: "python3" },
  { place: 2, needs: "node", called: "node" },
  { place: 3, needs: "rustc", called: "rustc" },
  { place: 4, needs: "cc", called: "cc" },
];

/** Pastes text into an interactive shell, where history expansion is on; what the text prints. */
async function pasted(text, { needs, called }) {
  const [cwd, programs] = [join(folder, "here"), join(folder, needs.replaceAll("/", "_"))];
  await Promise.all([mkdir(cwd, { recursive: true }), mkdir(programs, { recursive: true })]);
  const link = join(programs, called);
  if (!existsSync(link) && needs !== called) await symlink(found(needs), link);
  const PATH = [programs, process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH, HISTFILE: "/dev/null", TMPDIR: programs };
  const shell = spawn("bash", ["--norc", "--noprofile", "-i"], { cwd, env });
  const [output, errors] = [[], []];
  shell.stdout.on("data", (chunk) => output.push(chunk));
  shell.stderr.on("data", (chunk) => errors.push(chunk));
  shell.stdin.end(text + "\n");
  await once(shell, "close");
  assert.deepEqual(await readdir(cwd), [], "the command wrote files");
  return { output: Buffer.concat(output), errors: Buffer.concat(errors).toString() };
}

/** The bytes that Python's `print(bytes)` shows, line by line, with this behind each line. */
async function shown(output, end) {
  const read = `import ast, sys\nfor it in sys.stdin: sys.stdout.buffer.write(ast.literal_eval(it) + b'${end}')`;
  const python = spawn(process.env.PYTHON3 ?? "python3", ["-c", read]);
  const bytes = [];
  python.stdout.on("data", (chunk) => bytes.push(chunk));
  python.stdin.end(output);
  await once(python, "close");
  return Buffer.concat(bytes);
}

const bytesOf = ({ text, hex }) => (hex === undefined ? Buffer.from(text) : Buffer.from(hex, "hex"));

/** What the server saw of raw clients since the event at `from`. */
function seen(events, from, protocol, kind) {
  const raw = events.slice(from).filter((it) => it.type === "raw" && it.protocol === protocol);
  return raw.flatMap(({ observation }) => observation[kind] ?? []).map(({ data }) => bytesOf(data));
}

/** Runs the command for each tool and protocol, and compares with these lines. */
async function tryAll(t, { page, events }, lines, { protocols = ["TCP", "UDP"], tools = TOOLS } = {}) {
  const [tool, protocol] = [0, 1].map((place) => page.locator(".commands .targets").nth(place));
  const whole = Buffer.concat(lines);
  for (const { place, needs, called } of tools) {
    const skip = found(needs) === undefined && `${needs} is not on this machine`;
    for (const name of protocols) {
      await t.test(`${needs}, ${name}`, { skip }, async () => {
        await tool.locator("button").nth(place).click();
        await protocol.getByText(name, { exact: true }).click();
        const from = events.length;
        const text = await page.locator(".commands-text").textContent();
        const { output, errors } = await pasted(text, { needs, called });
        const printed = called === "python3" ? await shown(output, name === "UDP" ? "\\n" : "") : output;
        const told = `${text}\n${printed}\n${errors}`;
        await eventually(() => {
          const kind = name === "TCP" ? "read" : "datagram";
          const came = seen(events, from, name.toLowerCase(), kind);
          if (name === "UDP") assert.deepEqual(came, lines, told);
          else assert.ok(Buffer.concat(came).equals(whole), told);
        });
        if (name === "UDP") {
          assert.match(String(printed), new RegExp(`^(${CTIME}\n){${lines.length}}$`), told);
        } else {
          // Latin-1 keeps bytes. A line break at the end is the command's.
          const stamps = new RegExp(String.raw`\[${CTIME}\] `, "g");
          const echo = printed.toString("latin1").replace(stamps, "").replace(/\n$/, "");
          assert.equal(echo, whole.toString("latin1"), told);
        }
      });
    }
  }
}

/** A test on a page, in which each tool is a test of its own. */
const tools = (name, run, options) => test(name, (t) => onPage((on) => run(t, on), options)());

/** Sends, and shows the commands that do the same; `of` are the lines of the run. */
async function send(page, { text, mode = 0, count = 1, every = 0, target = "both", of = count }) {
  await page.locator(".prompt-more").evaluate((more) => (more.open = true));
  await page.locator(".prompt-choice").first().locator("button").nth(mode).click();
  await page.locator(`[data-target=${target}]`).click();
  const [lines, interval] = [0, 1].map((place) => page.locator(".prompt-options input").nth(place));
  await lines.fill(String(count));
  await interval.fill(String(every));
  await page.locator(".prompt-text").fill(text);
  await page.locator(".prompt-text").press("Enter");
  // It covers a phone.
  await page.locator(".prompt-more").evaluate((more) => (more.open = false));
  for (const protocol of target === "both" ? ["TCP", "UDP"] : [target]) await answered(page, protocol, of);
  await tab(page, "code");
}

tools("the commands send what the run in sight has sent, and that can be one of those before", async (t, on) => {
  await on.page.locator(".prompt-text").press("Enter");
  await send(on.page, { text: "later" });
  await on.page.locator(".commands-text", { hasText: "later" }).waitFor();
  await on.page.locator(".run-line", { hasText: "#1" }).click();
  await on.page.locator(".commands-text", { hasText: "hello 1" }).waitFor();
  await tryAll(t, on, [Buffer.from("hello 1")]);
});

tools(
  "a hostile line is only bytes",
  async (t, on) => {
    await send(on.page, { text: HOSTILE });
    await tryAll(t, on, [Buffer.from(HOSTILE.replaceAll("{n}", "1"))]);
  },
  { locale: "zh-CN", viewport: { width: 390, height: 800 } },
);

tools("a numbered burst of a hostile line, with its pause", async (t, on) => {
  await send(on.page, { text: String.raw`\x00\n` + `EOF\n%{n}`.replace("\n", String.raw`\n`) + String.raw`\t'"\\{n}!?`, mode: 1, count: 3, every: 20 });
  await tryAll(t, on, [1, 2, 3].map((n) => Buffer.from(`\0\nEOF\n%${n}\t'"\\${n}!?`)));
});

tools("bytes that are no text", async (t, on) => {
  const hex = "00 ff 27 5c 22 0a 0d 24 28 60 21 7b 6e 7d e4 bd 25 64 3f 3f 2f 30 30";
  await send(on.page, { text: hex, mode: 2, count: 2 });
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  await tryAll(t, on, [bytes, bytes]);
});

tools("several lines, the first like an option", async (t, on) => {
  await send(on.page, { text: "-n -e --\n§h §s\nend", of: 3 });
  await tryAll(t, on, ["-n -e --", "§h §s", "end"].map((line) => Buffer.from(line)));
});

tools("a datagram without bytes; nc says that it has none", async (t, on) => {
  const { page } = on;
  await page.locator(socket("UDP", ".socket-actions button")).nth(2).click();
  await answered(page, "UDP", 1);
  await tab(page, "code");
  await page.locator(".commands-warning", { hasText: "nc cannot send a datagram without bytes" }).waitFor();
  assert.equal(await page.locator(".commands-text").count(), 0);
  const others = TOOLS.filter(({ called }) => called !== "nc");
  await tryAll(t, on, [Buffer.alloc(0)], { protocols: ["UDP"], tools: others });
});

tools("a long line is cut, which is said, and never in the middle of a character", async (t, on) => {
  await send(on.page, { text: "时".repeat(2_000) });
  await on.page.locator(".commands-warning", { hasText: "6,000 bytes" }).waitFor();
  await tryAll(t, on, [Buffer.from("时".repeat(1_365))], { protocols: ["TCP"] });
});

tools("as much as is sent without a warning is answered before any of it is read", async (t, on) => {
  const { page } = on;
  await send(page, { text: "x".repeat(600), count: 104, target: "TCP" });
  assert.equal(await page.locator(".commands-warning").count(), 0);
  const lines = Array(104).fill(Buffer.from("x".repeat(600)));
  await tryAll(t, on, lines, { protocols: ["TCP"] });
  await send(page, { text: "x".repeat(600), count: 105, target: "TCP" });
  assert.equal(await page.locator(".commands .targets").nth(1).locator("button").count(), 1);
  await page.locator(".commands-warning", { hasText: "65,835 bytes" }).waitFor();
});

test(
  "a command is copied as it stands",
  onPage(
    async ({ page }) => {
      await send(page, { text: "copied" });
      await page.locator(".commands-head > button").click();
      await page.locator(".commands [role=status]", { hasText: "copied" }).waitFor();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      assert.equal(copied, await page.locator(".commands-text").textContent());
    },
    { permissions: ["clipboard-read", "clipboard-write"] },
  ),
);
