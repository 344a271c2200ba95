// The sweep's card: nothing loads before Start, its figures are the binary's to the last digit, it can be cancelled,
// and it needs no server once its worker was there.

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually, startServer, streamgram, violations } from "./streamgram.mjs";
import { native, open, run, said, saved, start, tables } from "./sweep_card.mjs";

const onPage = streamgram();

test(
  "the exchange's CSV is that of the binary, and its tables and pictures have the same figures",
  onPage(async ({ page }) => {
    await open(page);
    await page.getByRole("button", { name: "exchange of 20 lines" }).click();
    await page.locator(".sweep").getByLabel("RTT").fill("40");
    await page.locator(".sweep").getByLabel("seed").fill("7");
    await run(page);
    const csv = await saved(page, "CSV");
    assert.equal(csv, await native("exchange", "--rtt=40", "--seed=7"));
    const cells = csv.trimEnd().split("\n").slice(1).map((line) => line.split(","));
    const [times, answered, complete] = await tables(page);
    const losses = cells.map(([loss]) => loss);
    for (const table of [times, answered, complete]) assert.deepEqual(table.map(([loss]) => loss), losses);
    const close = (shown, exact) => {
      const number = Number.parseFloat(shown.replaceAll(",", "")) / (shown.endsWith(" ms") ? 1_000 : 1);
      assert.ok(Math.abs(number - exact) <= Math.max(0.011, exact * 0.01), `${shown}: ${exact}`);
    };
    cells.forEach(([, median, mean, worst, lines, share], at) => {
      [median, mean, worst].forEach((exact, of) => close(times[at][of + 1], Number(exact)));
      close(answered[at][1], Number(lines));
      close(complete[at][1], Number(share));
    });
    const picture = await saved(page, "SVG");
    const alone = await page.context().newPage();
    const marks = await alone.evaluate((picture) => {
      const svg = new DOMParser().parseFromString(picture, "image/svg+xml").documentElement;
      const marks = svg.querySelectorAll(":scope > svg[viewBox] .plot-marks");
      return [svg.localName, ...[...marks].map((path) => path.getAttribute("d").split("M").length - 1)];
    }, picture);
    assert.deepEqual(marks, ["svg", ...[0, 1, 2].map(() => cells.length)]);
  }),
);

test(
  "nothing of it loads before Start, and a sweep that is cancelled ends its worker and keeps what had come",
  onPage(async ({ page }) => {
    const loaded = () =>
      page.evaluate(() => performance.getEntries().filter(({ name }) => name.includes("/sweep-")).length);
    await open(page);
    assert.equal(await loaded(), 0);
    await start(page).click();
    await page.locator(".sweep .plot").first().waitFor();
    assert.notEqual(await loaded(), 0);
    await start(page).getByText("Cancel").waitFor();
    await start(page).click();
    await said(page).getByText("Cancelled; the results so far stay.").waitFor();
    await eventually(() => assert.equal(page.workers().length, 0));
    const csv = await saved(page, "CSV");
    assert.ok((await native("goodput")).startsWith(csv) && csv.split("\n").length > 2, csv);
    // Another one begins at the beginning.
    await page.getByRole("button", { name: "exchange of 20 lines" }).click();
    await run(page);
    assert.equal(await saved(page, "CSV"), await native("exchange"));
  }),
);

for (const [locale, sentence] of [
  ["en-US", "rtt is 801, it must be 1 to 800 ms"],
  ["zh-CN", "rtt 的值是 801，必须在 1 到 800 ms 之间"],
]) {
  test(
    `a setting that is not allowed is named with its limit, and does not start: ${locale}`,
    onPage(
      async ({ page }) => {
        await open(page);
        await page.locator(".sweep input").first().fill("801");
        await page.locator(".sweep .notice", { hasText: sentence }).waitFor();
        await start(page).click();
        assert.equal(await page.locator(".sweep progress").count(), 0);
        assert.equal(page.workers().length, 0);
        await page.locator(".sweep input").first().fill("800");
        await eventually(async () => assert.equal(await page.locator(".sweep .notice").textContent(), ""));
      },
      { locale },
    ),
  );
}

let gone;
test(
  "once its worker was there it needs no server",
  onPage(
    async ({ page }) => {
      await open(page);
      await page.getByRole("button", { name: "exchange of 20 lines" }).click();
      await run(page);
      await gone.stop();
      await page.locator(".absence").waitFor();
      await page.locator(".sweep").getByLabel("seed").fill("2");
      await start(page).click();
      await eventually(async () => assert.equal(await saved(page, "CSV"), await native("exchange", "--seed=2")));
    },
    { http: async () => (gone = await startServer()).http },
  ),
);

test(
  "without its worker it says that it cannot be loaded, and with the server it is there again",
  onPage(
    async ({ page }) => {
      await open(page);
      await gone.stop();
      await page.locator(".absence").waitFor();
      await start(page).click();
      await said(page).getByText("could not be loaded").waitFor();
      const back = await startServer(gone.http);
      await page.getByRole("button", { name: "exchange of 20 lines" }).click();
      await run(page);
      await back.stop();
    },
    { http: async () => (gone = await startServer()).http },
  ),
);

for (const [locale, kind] of [["en-US", 0], ["zh-CN", 0], ["zh-CN", 1]]) {
  test(
    `axe finds nothing in a sweep with its tables, and at 320 pixels nothing scrolls sideways: ${locale}, ${kind}`,
    onPage(
      async ({ page }) => {
        await open(page);
        await page.locator(".sweep .targets button").nth(kind).click();
        await start(page).click();
        await eventually(async () => assert.notEqual(await said(page).textContent(), ""));
        await tables(page);
        assert.deepEqual(await violations(page, ".sweep"), []);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
      },
      { locale, viewport: { width: 320, height: 700 } },
    ),
  );
}
