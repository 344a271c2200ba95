// The transcript: what is found, how it is written, what can be copied and saved, and that 20,000 rows
// are as smooth as 20.

import assert from "node:assert/strict";
import { test } from "node:test";

import { NOISE, answered, eventually, lane, of, streamgram, throttled, type } from "./streamgram.mjs";

const onPage = streamgram();

/** Rows that are kept, see `frontend/src/session/log.rs`. */
const KEPT_ROWS = 20_000;

/** What the tools say about the rows, as numbers: shown, kept, dropped, as far as there are. */
async function figures(page) {
  const text = await page.locator(".transcript-count").textContent();
  return text.replaceAll(",", "").match(/\d+/g).map(Number);
}

async function shown(page, ...expected) {
  await eventually(async () => assert.deepEqual(await figures(page), expected));
}

const search = (page, text) => page.locator(".transcript-search").fill(text);
const choose = (page, which, index) => page.locator(".transcript-tools select").nth(which).selectOption({ index });
const press = (page, group, index) =>
  page.locator(".transcript-tools .targets").nth(group).locator("button").nth(index).click();

/** Saves a file by its button; its lines. */
async function saved(page, index) {
  const saving = page.waitForEvent("download");
  await page.locator(".transcript-all button").nth(index).click();
  let content = "";
  for await (const chunk of (await (await saving).createReadStream()).setEncoding("utf8")) content += chunk;
  return content.trimEnd().split("\n");
}

/** Sends a burst to one leg or both. */
async function burst(page, target, count, interval = 0) {
  await page.locator(`[data-target=${target}]`).click();
  const numbers = page.locator(".prompt input[type=number]");
  await numbers.nth(0).fill(String(count));
  await numbers.nth(1).fill(String(interval));
  await page.locator(".prompt button.primary").click();
}

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
        await shown(page, all);
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
        await press(page, 2, 1);
        await page.locator(".one-list .row").first().waitFor();
        assert.equal(await page.locator(".lane .row").count(), 0);
        await choose(page, 2, 1);
        await shown(page, 1 + 12 + of(events, "reply", "tcp").length, all);
        assert.equal(await page.locator(".one-list .row[data-protocol=UDP]").count(), 0);
        await press(page, 2, 0);
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
    await press(page, 0, 1);
    const bytes = page.locator(lane("UDP", ".row[data-kind=line] .row-bytes"));
    await eventually(async () => assert.equal(await bytes.textContent(), "41 5a"));
    await search(page, "41 5A");
    // The line on both legs, and TCP's echo.
    await eventually(async () => assert.equal((await figures(page))[0], 3));
    await search(page, "");
    await press(page, 1, 1);
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

/** Sends bursts until more rows came than are kept. */
async function fill(page) {
  const settled = (sent) =>
    page.waitForFunction(
      ([selector, sent]) => {
        const figures = [...document.querySelectorAll(selector)].map((it) => Number(it.textContent.replace(/\D/g, "")));
        // Answered or given up: a buffer of the system may be full for a moment.
        return figures[1] + figures[2] >= sent;
      },
      [lane("UDP", ".lane-stats dd"), sent],
    );
  for (let sent = 1_000; (await figures(page)).length < 2; sent += 1_000) {
    await burst(page, "UDP", 1_000);
    await settled(sent);
  }
}

test(
  "throttled four times, 1,000 lines on both legs at about 500 per second hold nothing up",
  onPage(async ({ page, events }) => {
    const end = await throttled(page);
    // The timer adds about a millisecond to the one that is asked for.
    await burst(page, "both", 1_000, 1);
    await answered(page, "TCP", 1_000);
    await answered(page, "UDP", 1_000);
    const [first, last] = [0, -1].map((at) => of(events, "sent", "tcp").at(at).at_us);
    const rate = Math.round(999 / ((last - first) / 1e6));
    const longest = await end(`1,000 lines on both legs at ${rate} per second`);
    assert.ok(longest <= 100 * NOISE, `${longest} ms`);
  }),
);

test(
  "20,000 rows are kept and the older ones counted; throttled four times they scroll, are searched and saved",
  onPage(async ({ page }) => {
    await fill(page);
    const [kept, dropped] = await figures(page);
    assert.equal(kept, KEPT_ROWS);
    const rows = page.locator(lane("UDP", ".rows"));
    assert.ok((await rows.locator(".row").count()) < 60);

    await rows.evaluate((rows) => rows.scrollIntoView({ block: "center" }));
    let end = await throttled(page);
    const seen = await rows.evaluate(async (rows) => {
      const frame = () => new Promise(requestAnimationFrame);
      let empty = 0;
      for (let part = 0; part <= 300; part += 1) {
        rows.scrollTop = (rows.scrollHeight * part) / 300;
        await frame();
        await frame();
        const { left, top: above, bottom } = rows.getBoundingClientRect();
        const at = document.elementFromPoint(left + 20, (above + bottom) / 2);
        if (!at?.closest(".row")) empty += 1;
      }
      return { empty, last: rows.querySelector(".row:last-child").getAttribute("aria-posinset") };
    });
    const scrolling = await end("20,000 rows scrolled");
    assert.equal(seen.last, String(await rows.evaluate((rows) => rows.querySelector(".row").getAttribute("aria-setsize"))));

    end = await throttled(page);
    await search(page, "hello 77");
    // Line 77 and lines 770 to 779 of every burst that is kept: of ten, or of more where replies were lost.
    await eventually(async () => {
      const [found] = await figures(page);
      assert.ok(found >= 100 && found <= 240, `${found}`);
      assert.ok(!(await page.locator(".transcript-count").textContent()).includes("…"));
    });
    const searching = await end("20,000 rows searched");
    const lines = await saved(page, 0);
    assert.equal(lines.length, 1 + KEPT_ROWS);
    assert.equal(JSON.parse(lines[0]).dropped, dropped);
    assert.equal(seen.empty, 0);
    assert.ok(scrolling <= 50 * NOISE && searching <= 100 * NOISE, `${scrolling} ms, ${searching} ms`);
  }),
);

test(
  "rows that are looked at stay in sight while older ones are dropped",
  onPage(async ({ page }) => {
    await fill(page);
    const rows = page.locator(lane("UDP", ".rows"));
    await rows.evaluate((rows) => (rows.scrollTop = rows.scrollHeight / 2));
    await page.locator(lane("UDP", ".transcript-jump")).waitFor();
    const topmost = () =>
      rows.evaluate((rows) => {
        const top = rows.getBoundingClientRect().top;
        const row = [...rows.querySelectorAll(".row")].find((row) => row.getBoundingClientRect().bottom > top + 1);
        return [row.id, Math.round(row.getBoundingClientRect().top - top)];
      });
    const before = await topmost();
    const dropped = (await figures(page))[1];
    await burst(page, "UDP", 1_000);
    await eventually(async () => assert.ok((await figures(page))[1] > dropped + 1_000));
    await eventually(async () => assert.deepEqual(await topmost(), before));
  }),
);
