// The transcript: what is found, how it is written, what can be copied and saved.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { allRuns, answered, eventually, lane, of, ready, startServer, streamgram, type } from "./streamgram.mjs";
import { burst, figures, saved, search } from "./transcript.mjs";

const onPage = streamgram();

async function shown(page, ...expected) {
  await eventually(async () => assert.deepEqual(await figures(page), expected));
}

const choose = (page, which, index) => page.locator(".transcript-tools select").nth(which).selectOption({ index });
const press = (page, group, index) =>
  page.locator(".transcript-tools .targets").nth(group).locator("button").nth(index).click();

for (const locale of ["en-US", "zh-CN"]) {
  for (const width of [1440, 390]) {
    const where = `${locale}, ${width} pixels`;
    const options = { locale, viewport: { width, height: 900 } };

    test(
      `rows are found by text, direction, status and protocol: ${where}`,
      onPage(async ({ page, events }) => {
        await page.locator(".prompt-text").fill("Needle {n}");
        await burst(page, "both", 12);
        await answered(page, "TCP", 12);
        await answered(page, "UDP", 12);
        const replies = of(events, "reply", "tcp").length + of(events, "reply", "udp").length;
        const all = 2 + 24 + replies;
        await shown(page, all, all);
        await search(page, "nEEDLE 12");
        await shown(page, 3, all);
        await choose(page, 0, 1);
        await shown(page, 2, all);
        await search(page, "");
        await shown(page, 24, all);
        await choose(page, 0, 2);
        await shown(page, replies, all);
        await choose(page, 0, 3);
        await shown(page, 2, all);
        await choose(page, 0, 0);
        await choose(page, 1, 1);
        await shown(page, 24, all);
        await choose(page, 1, 2);
        await shown(page, 0, all);
        await choose(page, 1, 0);
        await press(page, 3, 1);
        await page.locator(".one-list .row").first().waitFor();
        assert.equal(await page.locator(".lane .row").count(), 0);
        await choose(page, 2, 1);
        await shown(page, 1 + 12 + of(events, "reply", "tcp").length, all);
        assert.equal(await page.locator(".one-list .row[data-protocol=UDP]").count(), 0);
        await press(page, 3, 0);
        await page.locator(lane("UDP", ".row")).first().waitFor();
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
      }, options),
    );

    test(
      `a row is shown in full, and its bytes are copied: ${where}`,
      onPage(async ({ page }) => {
        const line = `${"long ".repeat(200)}\u001b你`;
        await page.locator(".prompt-text").fill(line);
        await page.locator(".prompt-text").press("Enter");
        await answered(page, "UDP", 1);
        await page.locator(lane("UDP", ".row[data-kind=line]")).click();
        const detail = page.locator(".row-detail");
        await detail.waitFor();
        assert.equal(await detail.locator(".row-detail-text").textContent(), line.replace("\u001b", "\\x1b"));
        const dump = (await detail.locator(".row-detail-hex").textContent()).split("\n");
        assert.equal(dump[0], "00000000  6c 6f 6e 67 20 6c 6f 6e 67 20 6c 6f 6e 67 20 6c  long long long l");
        assert.match(dump[62], /^000003e0 .* 1b e4 bd a0 +.*\.\.\.\.$/);
        assert.match(await detail.locator("dl").textContent(), /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}/);
        const copied = async (index) => {
          await page.evaluate(() => navigator.clipboard.writeText(""));
          await detail.locator(".row-detail-head button").nth(index).click();
          await detail.locator("[role=status]:not(:empty)").waitFor();
          return page.evaluate(() => navigator.clipboard.readText());
        };
        assert.equal(await copied(0), line.replace("\u001b", "\\x1b"));
        assert.equal(await copied(1), Buffer.from(line).toString("hex"));
        const wide = await detail.evaluate((dialog) => dialog.getBoundingClientRect());
        assert.ok(wide.left >= 0 && wide.right <= width, JSON.stringify(wide));
        await page.keyboard.press("Escape");
        await detail.waitFor({ state: "hidden" });
      }, { ...options, permissions: ["clipboard-read", "clipboard-write"] }),
    );
  }
}

test(
  "the rows are those of the run in sight, or of all runs",
  onPage(async ({ page }) => {
    for (const text of ["first", "second"]) {
      await type(page, text);
      await page.locator(lane("UDP", ".row[data-kind=line]"), { hasText: text }).waitFor();
      await answered(page, "UDP", 1);
    }
    const lines = page.locator(lane("UDP", ".row[data-kind=line] .row-bytes"));
    const told = (...texts) => eventually(async () => assert.deepEqual(await lines.allTextContents(), texts));
    await told("second");
    await page.locator(".run-line", { hasText: "#1" }).click();
    await told("first");
    // How the leg was opened belongs to the run that was the first there.
    await page.locator(lane("UDP", ".row[data-kind=note]")).waitFor();
    await allRuns(page);
    await told("first", "second");
  }),
);

let impatient;
before(async () => (impatient = await startServer("127.0.0.1:0", ["--no-reply-ms=300"])));
after(() => impatient.stop());

test(
  "a reply that comes late stands with its own run, at its own line",
  onPage(
    async ({ page, events }) => {
      await page.locator(".link-presets button").nth(3).click();
      await page.locator(".suited").waitFor();
      await ready(page);
      await page.locator("[data-target=UDP]").click();
      await page.locator(".prompt-options input").first().fill("2");
      for (const lines of [2, 4]) {
        // All are equal: what they are told by is not their bytes.
        await type(page, "x");
        await eventually(() => assert.equal(of(events, "sent", "udp").length, lines));
      }
      assert.equal(of(events, "reply", "udp").length, 0);
      await eventually(() => assert.equal(of(events, "answered", "udp").length, 4));
      const answers = of(events, "answered", "udp");
      assert.ok(answers.every(({ late }) => late));
      const { wall_ms } = events.find(({ type }) => type === "hello");
      const ids = [...new Set(of(events, "sent", "udp").map(({ id }) => id))];
      for (const [at, id] of ids.entries()) {
        const expected = of(events, "reply", "udp").flatMap(({ at_us, offset }) => {
          const line = answers.find((answer) => answer.id === id && answer.reply === offset)?.line;
          return line === undefined ? [] : [[Math.floor(wall_ms + at_us / 1_000), `← ${line}`]];
        });
        assert.equal(expected.length, 2);
        await page.locator(".run-line", { hasText: `#${at + 1}` }).click();
        const rows = page.locator(lane("UDP", ".row[data-kind=reply]"));
        await eventually(async () => {
          const told = await rows.evaluateAll((rows) =>
            rows.map((row) => ["time", ".row-arrow"].map((part) => row.querySelector(part).textContent)));
          const time = (ms) => new Date(ms).toTimeString().slice(0, 8) + "." + String(ms % 1_000).padStart(3, "0");
          assert.deepEqual(told, expected.map(([ms, arrow]) => [time(ms), arrow]));
        });
      }
    },
    { http: () => impatient.http },
  ),
);

test(
  "the rows work by keyboard alone: arrows, Home, End, PageUp, PageDown, Enter, c",
  onPage(
    async ({ page }) => {
      await page.locator(".prompt-text").fill("row {n}");
      await burst(page, "UDP", 100);
      await answered(page, "UDP", 100);
      const rows = page.locator(lane("UDP", ".rows"));
      await rows.focus();
      /** The place of the chosen row, and that it is in sight and known to a screen reader. */
      const chosen = async (place) =>
        eventually(async () => {
          const found = await rows.evaluate((rows) => {
            const row = document.getElementById(rows.getAttribute("aria-activedescendant"));
            const [outer, inner] = [rows.getBoundingClientRect(), row?.getBoundingClientRect()];
            const inSight = inner && inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
            return [row?.getAttribute("aria-posinset"), row?.getAttribute("aria-setsize"), inSight];
          });
          assert.deepEqual(found, [String(place), "201", true]);
        });
      const step = async (key, place) => {
        await page.keyboard.press(key);
        await chosen(place);
      };
      await step("ArrowUp", 201);
      await step("ArrowUp", 200);
      await step("Home", 1);
      await step("ArrowUp", 1);
      await step("ArrowDown", 2);
      await page.keyboard.press("PageDown");
      await page.keyboard.press("PageDown");
      await step("Home", 1);
      await step("ArrowDown", 2);
      await page.keyboard.press("c");
      await page.locator(".transcript-said:not(:empty)").waitFor();
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "row 1");
      await page.keyboard.press("Enter");
      await page.locator(".row-detail").waitFor();
      await page.keyboard.press("Escape");
      await page.locator(".row-detail").waitFor({ state: "hidden" });
      await step("ArrowDown", 3);
      await step("End", 201);
      await page.locator(lane("UDP", ".transcript-jump")).waitFor({ state: "detached" });
    },
    { permissions: ["clipboard-read", "clipboard-write"] },
  ),
);

test(
  "payloads are written as hex and then searched as bytes, times as what passed since the row before",
  onPage(async ({ page }) => {
    await type(page, "AZ");
    await answered(page, "UDP", 1);
    await press(page, 1, 1);
    const bytes = page.locator(lane("UDP", ".row[data-kind=line] .row-bytes"));
    await eventually(async () => assert.equal(await bytes.textContent(), "41 5a"));
    await search(page, "41 5A");
    // The line on both legs, and TCP's echo.
    await eventually(async () => assert.equal((await figures(page))[0], 3));
    await search(page, "");
    await press(page, 2, 1);
    const times = page.locator(lane("UDP", ".row time"));
    await eventually(async () => {
      const [first, ...others] = await times.allTextContents();
      assert.equal(first, "–");
      assert.ok(others.length === 2 && others.every((time) => /^\+[\d.]+ m?s$/.test(time)), String(others));
    });
  }),
);

test(
  "without the clipboard's interface a copy goes by selection, and where that fails the text is shown",
  onPage(async ({ page }) => {
    await page.evaluate(() => {
      Object.defineProperty(navigator, "clipboard", { value: undefined });
      window.asked = [];
      document.execCommand = (command) => {
        asked.push([command, document.activeElement.value]);
        return asked.length < 3;
      };
    });
    await type(page, "by hand");
    await answered(page, "UDP", 1);
    await page.locator(lane("UDP", ".row[data-kind=line]")).click();
    const copy = page.locator(".row-detail-head button").first();
    for (const times of [1, 2]) {
      await copy.click();
      await eventually(async () => assert.equal(await page.evaluate(() => asked.length), times));
    }
    assert.equal(await page.locator(".copy-by-hand").count(), 0);
    await copy.click();
    const field = page.locator(".copy-by-hand textarea");
    await field.waitFor();
    assert.equal(await field.evaluate((field) => field.value.slice(field.selectionStart, field.selectionEnd)), "by hand");
    assert.deepEqual(await page.evaluate(() => asked.at(-1)), ["copy", "by hand"]);
    await page.keyboard.press("Escape");
    await page.locator(".copy-by-hand").waitFor({ state: "detached" });
    assert.equal(await page.locator(".row-detail").isVisible(), true);
  }),
);

test(
  "all rows are saved, not only those that are shown",
  onPage(async ({ page, events }) => {
    await type(page, 'a "quoted" 你\u001b line');
    await answered(page, "TCP", 1);
    await answered(page, "UDP", 1);
    await search(page, "nothing has this");
    await shown(page, 0, 6);
    const [head, ...rows] = (await saved(page, 0)).map((line) => JSON.parse(line));
    assert.deepEqual(head, { type: "transcript", rows: 6, dropped: 0 });
    const kinds = rows.map(({ type, protocol }) => `${type} ${protocol}`).sort();
    assert.deepEqual(kinds, ["opened tcp", "opened udp", "reply tcp", "reply udp", "sent tcp", "sent udp"]);
    for (const protocol of ["tcp", "udp"]) {
      const row = rows.find((row) => row.type === "sent" && row.protocol === protocol);
      const [sent] = of(events, "sent", protocol);
      const [{ rtt_us }] = of(events, "answered", protocol);
      const { id, line, bytes, leg } = sent;
      assert.deepEqual([row.id, row.line, row.bytes, row.leg, row.rtt_us], [id, line, bytes, leg, rtt_us]);
      assert.equal(row.text, 'a "quoted" 你\u001b line');
      const wall_us = events.find(({ type }) => type === "hello").wall_ms * 1_000;
      assert.equal(Date.parse(row.at), Math.floor((wall_us + sent.at_us) / 1_000));
    }
    const [title, ...lines] = await saved(page, 1);
    assert.equal(title, "Streamgram transcript: 6 rows, 0 older rows dropped");
    assert.equal(lines.length, 6);
    assert.match(lines.find((line) => line.includes("UDP  →")), /^\S+T\S+  UDP  → 1  20 bytes  ✓ \S+ ms  a "quoted" 你\\x1b line$/);
  }),
);
