// The result stands beside the action: what is in sight after a send and after a lesson's run, without scrolling; runs
// whose figures stay; external clients, as they come.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { parsed } from "./packets.mjs";
import { answered, eventually, finding, of, streamgram, tab, type } from "./streamgram.mjs";
import { externalClient, goOver, lesson, settled } from "./views.mjs";

const onPage = streamgram();

const DESK = { viewport: { width: 1440, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
/** Of a phone's window with its keyboard open. */
const KEYBOARD = { width: 390, height: 420 };

/** What brings a result, and how. */
const ACTIONS = {
  "Send over Wi-Fi": async (page) => {
    await goOver(page, 2);
    await page.locator(".prompt-burst").click();
    for (const protocol of ["TCP", "UDP"]) await settled(page, protocol, 20);
  },
  "a lesson's Run": (page) => lesson(page, "reliability"),
};
const BUTTONS = ".prompt .primary, .lesson .primary";

/** Pixels from the window's top to the top and bottom of each of these. */
async function places(page, selectors) {
  const boxes = selectors.map(async (selector) => {
    const { y, height } = await page.locator(selector).first().boundingBox();
    return [y, y + height];
  });
  return Promise.all(boxes);
}

/** The parts of the result that a person would have to scroll for, or that something lies upon. */
async function outOfSight(page, selectors) {
  const hidden = (element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    if (top < 0 || bottom > innerHeight) return true;
    const corners = [top + 2, bottom - 2].map((y) => document.elementFromPoint((left + right) / 2, y));
    return !corners.every((at) => element.contains(at));
  };
  const found = [];
  for (const selector of selectors) {
    if (await page.locator(selector).first().evaluate(hidden)) found.push(selector);
  }
  return found;
}

const both = (inside) => ["TCP", "UDP"].map((protocol) => finding(protocol, inside));
const VERDICTS = both(".finding-figures");

for (const [action, act] of Object.entries(ACTIONS)) {
  test(
    `on a desk verdicts, replies, strips and the top of the ladder are in sight after ${action}`,
    onPage(async ({ page }) => {
      await act(page);
      const parts = [".result-head", ...VERDICTS, ...both(".replies"), ...both(".strip")];
      await eventually(async () => assert.deepEqual(await outOfSight(page, parts), []));
      assert.equal(await page.evaluate(() => scrollY), 0);
      const [[, button], [first], [ladder]] = await places(page, [BUTTONS, ".result-head", ".ladder-window"]);
      const [line, packets] = [first - button, ladder - button].map(Math.round);
      console.log(`${action}: first line of the result ${line} px below the button, ladder ${packets} px, nothing to scroll`);
      assert.ok(ladder + 200 <= DESK.viewport.height, `the ladder begins at ${ladder}`);
    }, DESK),
  );

  for (const [window, viewport] of Object.entries({ "": PHONE.viewport, ", its keyboard open,": KEYBOARD })) {
    test(
      `on a phone${window} both verdicts are in sight after ${action}, and the ladder is one tap away`,
      onPage(async ({ page }) => {
        await page.setViewportSize(viewport);
        await act(page);
        await eventually(async () => assert.deepEqual(await outOfSight(page, VERDICTS), []));
        const [[verdict]] = await places(page, VERDICTS);
        const before = await page.evaluate(() => scrollY);
        await tab(page, "ladder");
        await eventually(async () => assert.deepEqual(await outOfSight(page, [".ladder-head"]), []));
        const [[ladder]] = await places(page, [".ladder"]);
        const told = `${action}, ${viewport.width} × ${viewport.height}`;
        const scrolled = await page.evaluate(() => scrollY);
        console.log(`${told}: verdict at ${Math.round(verdict)} px; after a tap ladder at ${Math.round(ladder)} px`);
        console.log(`${told}: scrolled by the page itself ${Math.round(before)} px, then ${Math.round(scrolled - before)} px`);
      }, PHONE),
    );
  }
}

test(
  "on a phone the next verdict comes into sight, whatever was looked at before",
  onPage(async ({ page }) => {
    await type(page, "one");
    await tab(page, "rows");
    await eventually(async () => assert.ok((await page.evaluate(() => scrollY)) > 100));
    await type(page, "two");
    await page.locator(".result-head", { hasText: "#2" }).waitFor();
    await eventually(async () => assert.deepEqual(await outOfSight(page, VERDICTS), []));
  }, PHONE),
);

for (const [device, options] of Object.entries({ desk: DESK, phone: PHONE })) {
  test(
    `on a ${device} nothing scrolls for somebody who writes`,
    onPage(async ({ page }) => {
      const scrolled = () => page.evaluate(() => scrollY);
      await page.locator(".prompt-text").focus();
      await page.keyboard.type("one");
      assert.equal(await scrolled(), 0);
      await page.locator(".prompt-burst").click();
      await answered(page, "UDP", 20);
      await page.evaluate(() => scrollTo(0, 100));
      const before = await scrolled();
      assert.ok(before > 0);
      await page.locator(".prompt-text").focus();
      await page.keyboard.type("two");
      assert.equal(await scrolled(), before);
    }, options),
  );
}

const head = (page) => page.locator(".result-head h2").allInnerTexts();
/** Everything that the result in sight tells of both legs. */
const told = (page) => page.locator(".findings").allInnerTexts();
/** A run in the list. */
const run = (page, number) => page.locator(".run", { hasText: new RegExp(`#${number}\\b`) });

test(
  "a run says what it asked over which path, and what it told once it has ended stays, whatever comes after it",
  onPage(async ({ page }) => {
    await page.locator(".prompt-text").fill("first {n}");
    await page.getByRole("spinbutton", { name: "lines" }).fill("3");
    await page.locator(".prompt .primary").click();
    for (const protocol of ["TCP", "UDP"]) await answered(page, protocol, 3);
    assert.deepEqual(await head(page), ["#1 · Direct"]);
    const first = await told(page);
    const line = await run(page, 1).locator(".run-line").innerText();
    assert.match(line, /#1 · Direct\s+first \{n\} × 3\s+TCP 3\/3\s+UDP 3\/3/);

    // Cut off by the change of the path: what was not answered by then never is.
    await page.getByRole("spinbutton", { name: "lines" }).fill("50");
    await page.getByRole("spinbutton", { name: "every" }).fill("100");
    await page.locator(".prompt .primary").click();
    await answered(page, "TCP", 1);
    await goOver(page, 8);
    const cut = await told(page);
    assert.deepEqual(await head(page), ["#2 · Direct"]);

    await page.locator(".suited button").click();
    await page.locator(".prompt .primary").click();
    for (const protocol of ["TCP", "UDP"]) await settled(page, protocol, 5);
    assert.deepEqual(await head(page), ["#3 · Line 3 lost"]);
    assert.match(await run(page, 3).innerText(), /line \{n\} × 5.*\s+TCP 5\/5\s+UDP 4\/5/);

    for (const [number, before] of [[1, first], [2, cut]]) {
      await run(page, number).locator(".run-line").click();
      assert.deepEqual(await head(page), [`#${number} · Direct`]);
      assert.equal(await run(page, number).locator(".run-line").getAttribute("aria-current"), "true");
      assert.deepEqual(await told(page), before);
    }
    assert.equal(await run(page, 1).locator(".run-line").innerText(), line);
  }, DESK),
);

/** Waits until both ends of the latest TCP leg have acknowledged all: a delayed ACK comes after the last answer, and counts. */
async function acknowledged(page, events) {
  await eventually(async () => {
    const { leg } = of(events, "packet", "tcp").at(-1);
    const segments = of(events, "packet", "tcp").filter((packet) => packet.leg === leg).map(parsed);
    const from = (end) => segments.filter((segment) => segment.from === end);
    const sent = (end) => Math.max(...from(end).map(({ seq, payload }) => seq + payload.length));
    const acked = (end) => Math.max(...from(end).map(({ ack }) => ack));
    assert.deepEqual([acked("gateway"), acked("client")], [sent("client"), sent("gateway")]);
    const arrows = await page.locator(".ladder-window").getAttribute("data-arrows");
    const legs = [leg, of(events, "packet", "udp").at(-1).leg];
    assert.equal(Number(arrows), events.filter((event) => event.type === "packet" && legs.includes(event.leg)).length);
  });
}

test(
  "two runs stand side by side with their figures in one table, until one is taken out again",
  onPage(async ({ page, events }) => {
    await page.locator(".prompt-burst").click();
    for (const protocol of ["TCP", "UDP"]) await answered(page, protocol, 20);
    const direct = await told(page);
    await goOver(page, 8);
    await page.locator(".prompt-burst").click();
    for (const protocol of ["TCP", "UDP"]) await settled(page, protocol, 20);
    await acknowledged(page, events);
    const emulated = await told(page);

    await run(page, 1).locator(".run-compare").click();
    const [title, ...runs] = await head(page);
    assert.deepEqual([title, ...runs], ["Compare", "#1 · Direct", "#2 · Line 3 lost"]);
    assert.deepEqual(await told(page), [...direct, ...emulated]);
    const columns = await page.locator(".compare thead tr").last().locator("th").allInnerTexts();
    assert.deepEqual(columns, [...runs, ...runs]);
    const cells = page.locator(".compare tbody tr", { hasText: "answered" }).locator("td");
    assert.deepEqual(await cells.allInnerTexts(), ["20", "20", "20", "19"]);
    const boxes = await Promise.all((await page.locator(".compared > .result").all()).map((it) => it.boundingBox()));
    assert.equal(boxes[0].y, boxes[1].y);

    await run(page, 1).locator(".run-compare[aria-pressed=true]").click();
    assert.deepEqual(await head(page), ["#2 · Line 3 lost"]);
    assert.deepEqual(await told(page), emulated);
  }, DESK),
);

test(
  "the last fifty runs stand in the list, and the older ones are counted",
  onPage(async ({ page }) => {
    for (let sent = 1; sent <= 53; sent += 1) await page.locator(".prompt-text").press("Enter");
    await answered(page, "UDP", 1);
    await run(page, 53).waitFor();
    const numbers = (await page.locator(".run .run-path").allInnerTexts()).map((text) => Number(/#(\d+) /.exec(text)[1]));
    assert.deepEqual(numbers, Array.from({ length: 50 }, (_, at) => 53 - at));
    assert.match(await page.locator(".runs > .hint").innerText(), /\b3\b/);
    await run(page, 4).locator(".run-line").click();
    assert.match((await head(page))[0], /^#4 /);
  }, DESK),
);

for (const [device, options] of Object.entries({ desk: DESK, phone: PHONE })) {
  test(
    `on a ${device} an external client is counted in the head within a second, opens as a result, and is exported`,
    onPage(async ({ page, server }) => {
      await type(page, "here");
      await answered(page, "UDP", 1);
      const badge = page.locator(".clients-badge");
      assert.equal(await badge.count(), 0);
      const began = performance.now();
      const socket = externalClient(server, "hello from elsewhere");
      await once(socket, "connect");
      const peer = `127.0.0.1:${socket.localPort}`;
      await eventually(async () => assert.match(await badge.innerText(), /^1\b/), 1_000);
      const took = Math.round(performance.now() - began);
      console.log(`${device}: the badge counts a client ${took} ms after it began to connect`);
      assert.equal(await page.evaluate(() => scrollY), 0);
      assert.deepEqual(await outOfSight(page, [".clients-badge"]), []);

      await page.locator(".client-line", { hasText: peer }).click();
      const result = page.locator(".client-result");
      await result.locator(".finding-figures", { hasText: "1 read" }).waitFor();
      await eventually(async () => assert.deepEqual(await outOfSight(page, [".result-head", ".client-result .finding-figures"]), []));
      assert.match((await head(page))[0], new RegExp(peer));
      assert.match(await result.locator(".client-reads tbody tr").first().innerText(), /\+.+s\s+20 bytes\s+.+s/);
      assert.ok((await result.locator(".strip-row").count()) >= 2);
      await result.locator(".client-bytes code", { hasText: "hello from elsewhere" }).first().waitFor();

      await run(page, 1).locator(".run-line").click();
      await tab(page, "export");
      const saving = page.waitForEvent("download");
      await page.locator(".export").nth(1).locator("button").first().click();
      const file = await readFile(await (await saving).path(), "utf8");
      const records = file.trimEnd().split("\n").map((record) => JSON.parse(record));
      assert.ok(records.some((record) => record.type === "read" && record.peer === peer), JSON.stringify(records));
    }, options),
  );
}

test(
  "the badge leads from every area to the latest external client",
  onPage(async ({ page, server }) => {
    externalClient(server, "hello from elsewhere");
    for (const area of ["lessons", "plots", "play"]) {
      await page.locator(`.views a[href='#${area}']`).click();
      await page.locator(`.main[data-view=${area}]`).waitFor();
      await page.locator(".clients-badge").click();
      await page.locator(".main[data-view=play] .client-result").waitFor();
    }
  }, DESK),
);
