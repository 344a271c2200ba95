// The real server, a real browser, and what went over the page's WebSocket: what every test needs.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import AxeBuilder from "@axe-core/playwright";
import { chromium, firefox } from "playwright-core";

export const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How long something that must come is waited for, in milliseconds: generous, machines differ. */
const PATIENCE = 60_000;

/** Starts a server; `http` is the address for the page, port 0 picks a free one. `more` are flags. */
export async function startServer(http = "127.0.0.1:0", more = []) {
  const binary = process.env.STREAMGRAM_BIN;
  if (!binary) throw new Error("STREAMGRAM_BIN is not set: run the tests with `cargo xtask test`");
  const flags = ["--http", http, "--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0", ...more];
  const child = spawn(binary, flags, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk) => (log += chunk));
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the server ended with ${code}: ${log}`);
  });
  ended.catch(() => {});
  const [line] = await Promise.race([once(lines, "line"), ended]);
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  };
  return { ...JSON.parse(line), stop };
}

/** A browser for the tests of a file. */
export function launch() {
  const executablePath = process.env.STREAMGRAM_CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: FLAGS });
}

/** Why tests in Firefox are skipped, if they are. */
export const NO_FIREFOX = !process.env.STREAMGRAM_FIREFOX && "there is no Firefox: name one in STREAMGRAM_FIREFOX";

/**
 * A Firefox as its users have it, over WebDriver BiDi. From 1.65 on Playwright asks for what Debian's Firefox 153 does not
 * know: package.json holds it back.
 */
export function launchFirefox() {
  return firefox.launch({ channel: "moz-firefox", executablePath: process.env.STREAMGRAM_FIREFOX });
}

/** A visitor of their own: nothing is cached or kept from those before. */
export async function visitor(browser, options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE);
  return context;
}

/** One browser and one server for the tests of a file, and a fresh page for each of them. */
export function streamgram(launched = launch) {
  const shared = {};
  before(async () => {
    shared.server = await startServer();
    shared.browser = await launched();
  });
  after(async () => {
    await shared.browser?.close();
    await shared.server?.stop();
  });
  /** Runs `test` on a page with both legs open; errors of the page fail it. */
  return (test, { http, ...options } = {}) =>
    async () => {
      const context = await visitor(shared.browser, options);
      const page = await context.newPage();
      const errors = [];
      page.on("pageerror", (error) => errors.push(error.message));
      const events = recordEvents(page);
      try {
        await page.goto(`http://${(await http?.()) ?? shared.server.http}/`);
        await ready(page);
        await test({ page, events, server: shared.server });
        if (errors.length > 0) throw new Error(`the page had errors: ${errors.join("; ")}`);
      } catch (error) {
        console.log(await lastSeen(page, errors, events));
        throw error;
      } finally {
        await context.close();
      }
    };
}

/** What a test that failed leaves to be read: the page's errors and text, and the last events that it was told. */
async function lastSeen(page, errors, events) {
  const told = events.slice(-20).map((event) => JSON.stringify(event).slice(0, 300));
  const text = await page.evaluate(() => document.body.innerText.slice(0, 5_000)).catch(String);
  return `errors of the page: ${errors.join("; ") || "none"}\n${told.join("\n")}\nthe page:\n${text}`;
}

/** Every message of the server to this page, in order. */
export function recordEvents(page) {
  const events = [];
  const flat = ({ at_us, leg, event }) => ({ at_us, protocol: leg?.protocol, leg: leg?.number, ...named(event) });
  page.on("websocket", (socket) => {
    socket.on("framereceived", ({ payload }) =>
      events.push(...payload.split("\n").map((line) => flat(JSON.parse(line)))),
    );
  });
  return events;
}

/** A message or event, which is an object with one field, with its name as `type`: `{ type: "stop", id: 1 }`. */
export function named(message) {
  const [[type, fields]] = Object.entries(message);
  return { type, ...fields };
}

/** Waits until both legs are open. */
export async function ready(page) {
  for (const protocol of ["TCP", "UDP"]) {
    await page.locator(socket(protocol, ".badge[data-status=connected]")).waitFor();
  }
}

/** Selector of the rows of a protocol, or of something in them. */
export function lane(protocol, inside = "") {
  return `.lane[data-protocol=${protocol}] ${inside}`;
}

/** Selector of a socket: its state, its addresses, what can be done to it. */
export function socket(protocol, inside = "") {
  return `.socket[data-protocol=${protocol}] ${inside}`;
}

/** Selector of what the result finds of a protocol: verdict, replies, strip, figures. */
export function finding(protocol, inside = "") {
  return `.finding[data-protocol=${protocol}] ${inside}`;
}

/** Chooses a tab of the result: `ladder`, `rows`, `bytes`, `code` or `export`. */
export async function tab(page, name) {
  await page.locator(`[role=tab][data-tab=${name}]`).click();
}

/** Shows the rows of all runs, not only of the one that is in sight. */
export async function allRuns(page) {
  await page.locator(".transcript-tools .targets").first().locator("button").nth(1).click();
}

/** Types a line and sends it with Enter. */
export async function type(page, text, label = "Line to send") {
  const prompt = page.getByLabel(label);
  await prompt.fill(text);
  await prompt.press("Enter");
}

/** Waits until the run in sight counts `count` lines as answered. */
export async function answered(page, protocol, count) {
  await page.waitForFunction(
    ([selector, count]) => {
      const figure = document.querySelectorAll(selector)[1];
      return Number(figure?.textContent.replace(/\D/g, "")) >= count;
    },
    [finding(protocol, ".figures dd"), count],
  );
}

/**
 * Waits until `check` no longer throws: the page draws after the event that a test waited for. What
 * still throws after that many milliseconds is the test's failure.
 */
export async function eventually(check, patience = PATIENCE) {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(20);
    }
  }
}

/** What axe finds in a page, or in a part of it: the rules that are broken, each with the elements. */
export async function violations(page, part = "html") {
  const axe = new AxeBuilder({ page }).include(part);
  // A page without frames needs no second page to put results together, and what is right need not be told.
  axe.setLegacyMode().options({ resultTypes: ["violations"] });
  const { violations } = await axe.analyze();
  return violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]);
}

/** The server's messages of one type and protocol. */
export function of(events, type, protocol) {
  return events.filter((event) => event.type === type && event.protocol === protocol);
}

/**
 * A slower machine, or one that does other things too, takes longer: so many times what is demanded. The figures are
 * printed. On two shared cores the same page scrolled with tasks of 60 ms on one day and of 100 ms on another.
 */
export const NOISE = 2;

/**
 * Slows the page down to a quarter from here on. Ends with the longest task, in milliseconds of the
 * processor's time: that of the clock also counts what else the machine does, and is only told.
 */
export async function throttled(page) {
  const [cdp, browser] = [await page.context().newCDPSession(page), page.context().browser()];
  await browser.startTracing(page, { categories: ["toplevel"] });
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await page.evaluate(() => {
    window.tasks = [];
    const note = (list) => tasks.push(...list.getEntries().map((entry) => entry.duration));
    window.longTasks = new PerformanceObserver(note);
    longTasks.observe({ type: "longtask" });
  });
  return async (what) => {
    await page.evaluate(() => new Promise((done) => setTimeout(done, 200)));
    await cdp.send("Emulation.setCPUThrottlingRate", { rate: 1 });
    const byClock = await page.evaluate(() => (longTasks.disconnect(), Math.max(0, ...tasks)));
    const { traceEvents } = JSON.parse(await browser.stopTracing());
    const thread = ({ pid, tid }) => `${pid}/${tid}`;
    const names = traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
    const mains = new Set(names.map(thread));
    const ours = traceEvents.filter((event) => event.name.endsWith("RunTask") && mains.has(thread(event)));
    assert.ok(ours.length > 0);
    const longest = Math.max(...ours.map(({ tdur }) => tdur ?? 0)) / 1_000;
    console.log(`${what}: longest task ${longest} ms, by the clock ${byClock} ms`);
    return longest;
  };
}
