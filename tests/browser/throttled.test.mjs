// The processor throttled four times, and a full transcript: nothing holds the page up, and 20,000 rows are as smooth
// as 20. Nothing else runs beside these tests.

import assert from "node:assert/strict";
import { test } from "node:test";

import { NOISE, allRuns, answered, eventually, lane, of, streamgram, throttled } from "./streamgram.mjs";
import * as sweep from "./sweep_card.mjs";
import { burst, figures, saved, search } from "./transcript.mjs";
import { VIEWS, settled } from "./views.mjs";

const onPage = streamgram();

/** Rows that are kept, see `frontend/src/log.rs`. */
const KEPT_ROWS = 20_000;

/** Sends bursts until more rows came than are kept, and shows all of them. */
async function fill(page) {
  const more = async (run) => {
    await burst(page, "UDP", 1_000);
    await page.locator(".result-head h2", { hasText: `#${run} ` }).waitFor();
    // Answered or given up: a buffer of the system may be full for a moment.
    await settled(page, "UDP", 1_000);
  };
  await more(1);
  await allRuns(page);
  for (let run = 2; (await figures(page)).length < 2; run += 1) await more(run);
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

test(
  "throttled four times, 1,000 lines on both legs with the plots and a table open hold nothing up",
  onPage(async ({ page, events }) => {
    await VIEWS.burst(page);
    await page.locator(".views a[href='#plots']").click();
    const table = page.locator(".plot details").first();
    await table.evaluate((details) => (details.open = true));
    await table.locator("table").waitFor();
    const end = await throttled(page);
    await page.getByLabel("lines").fill("1000");
    await page.getByLabel("every").fill("2");
    await page.locator(".prompt .primary").click();
    await eventually(() => assert.ok(of(events, "answered", "tcp").length >= 1_020));
    const longest = await end("1,000 lines on both legs, plots open");
    assert.ok(longest <= 100 * NOISE, `${longest} ms`);
  }),
);

test("the usual sweep: progress, the binary's CSV, and a page that stays free", async (t) => {
  const measured = onPage(async ({ page }) => {
    await sweep.open(page);
    const end = await throttled(page);
    await sweep.start(page).click();
    const progress = page.locator(".sweep progress");
    await eventually(async () => assert.ok(Number(await progress.getAttribute("value")) > 0));
    assert.equal(await progress.getAttribute("max"), "168");
    await sweep.said(page).getByText("The sweep is done.").waitFor({ timeout: 120_000 });
    const longest = await end("the usual sweep");
    t.diagnostic(`longest task of the page during the usual sweep, throttled four times: ${longest} ms`);
    assert.ok(longest <= 100 * NOISE, `${longest} ms`);
    assert.equal(await progress.count(), 0);
    assert.equal(await sweep.saved(page, "CSV"), await sweep.native("goodput"));
    assert.equal((await sweep.tables(page)).length, 2);
  });
  await measured();
});
