// The sweep in a worker of the page: the figures of `streamgram sweep` to the last digit, loaded only when it
// is wanted, and gone when it is ended.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { promisify } from "node:util";

import { eventually, streamgram } from "./streamgram.mjs";

const onPage = streamgram();

/** What `streamgram sweep --csv` prints for a setting. */
async function native({ kind, ...flags }) {
  const named = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const { stdout } = await promisify(execFile)(process.env.STREAMGRAM_BIN, ["sweep", kind, "--csv", ...named]);
  return stdout;
}

/** All messages of a sweep in the page, up to its end, and the milliseconds that it took. */
function inWorker(page, setting) {
  return page.evaluate(async (setting) => {
    const began = performance.now();
    const worker = window.sweepWorker();
    const messages = [];
    await new Promise((resolve, reject) => {
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.onmessage = ({ data }) => {
        messages.push(data);
        if (data.end || data.error) resolve();
      };
      worker.postMessage(setting);
    });
    worker.terminate();
    return { messages, took: performance.now() - began };
  }, setting);
}

const SETTINGS = [
  { kind: "goodput" },
  { kind: "exchange" },
  { kind: "goodput", rtt: 20, mss: 536, seed: 7, runs: 2, loss: "0,0.01,0.1,1,12.25" },
  { kind: "goodput", rtt: 1, mss: 1460, seed: 9007199254740991, runs: 1, loss: "0,0.5,20" },
  { kind: "exchange", rtt: 800, mss: 536, seed: 0, runs: 40, loss: "20,0,5" },
];

for (const setting of SETTINGS) {
  test(
    `browser and binary agree to the last digit: ${JSON.stringify(setting)}`,
    onPage(async ({ page }) => {
      const [{ messages }, expected] = await Promise.all([inWorker(page, setting), native(setting)]);
      const of = (name) => messages.flatMap((message) => message[name] ?? []);
      assert.deepEqual(of("error"), []);
      const [{ csv }] = of("end");
      assert.equal(csv, expected);
      const [{ header, runs }] = of("begun");
      const lines = of("row").map(({ line }) => line);
      assert.equal([header, ...lines, ""].join("\n"), csv);
      const done = of("progress").map(({ done }) => done);
      assert.ok(done.length >= lines.length && done.at(-1) === runs, `${done} of ${runs}`);
      assert.deepEqual(done, done.toSorted((less, more) => less - more));
    }),
  );
}

test("the usual sweep leaves the page free", async (t) => {
  const measured = onPage(async ({ page }) => {
    await page.evaluate(() => {
      window.tasks = [];
      const observer = new PerformanceObserver((list) => window.tasks.push(...list.getEntries()));
      observer.observe({ type: "longtask" });
    });
    const { messages, took } = await inWorker(page, { kind: "goodput" });
    const tasks = await page.evaluate(() => window.tasks.map(({ duration }) => duration));
    // Figures, not promises: another machine has others.
    t.diagnostic(`the usual sweep took ${(took / 1e3).toFixed(1)} s`);
    t.diagnostic(`tasks of the page over 50 ms meanwhile: ${tasks.map(Math.round).join(", ") || "none"}`);
    assert.ok(messages.at(-1).end);
  });
  await measured();
});

test(
  "a setting that is not allowed comes back as the lab's own sentence",
  onPage(async ({ page }) => {
    for (const [setting, message] of [
      [{ kind: "goodput", rtt: 801 }, "rtt is 801, it must be 1 to 800 ms"],
      [{ kind: "goodput", loss: [1, 20.5] }, "loss is 20.5, it must be 0 to 20 % with two decimals at most"],
      [{ kind: "exchange", runs: -1 }, "runs is -1, it must be 1 to 1000"],
      [{ kind: "exchange", delay: 1 }, "a sweep has no setting delay"],
      [{ kind: "speed" }, "sweep is speed, it must be goodput or exchange"],
    ]) {
      const { messages } = await inWorker(page, setting);
      assert.deepEqual(messages, [{ error: { message } }]);
    }
  }),
);

test(
  "nothing of the sweep is loaded before it is wanted",
  onPage(async ({ page }) => {
    const loaded = async () => {
      const names = await page.evaluate(() => performance.getEntries().map(({ name }) => name));
      return names.filter((name) => name.includes("/sweep-")).length;
    };
    assert.equal(await loaded(), 0);
    await inWorker(page, { kind: "exchange", runs: 1, loss: 0 });
    assert.notEqual(await loaded(), 0);
  }),
);

test(
  "a sweep that is ended is gone",
  onPage(async ({ page }) => {
    const created = page.waitForEvent("worker");
    await page.evaluate(() => {
      window.messages = [];
      window.sweep = window.sweepWorker();
      window.sweep.onmessage = ({ data }) => window.messages.push(data);
      // It would take an hour.
      window.sweep.postMessage({ kind: "goodput", runs: 1000 });
    });
    const worker = await created;
    const rows = () => page.evaluate(() => window.messages.filter(({ row }) => row).length);
    await eventually(async () => assert.ok((await rows()) > 0));
    const closed = once(worker, "close");
    await page.evaluate(() => window.sweep.terminate());
    await closed;
    assert.equal(page.workers().length, 0);
    // Another one begins at the beginning.
    const { messages } = await inWorker(page, { kind: "exchange", runs: 1, loss: 0 });
    assert.ok(messages.at(-1).end);
  }),
);
