// The page by keyboard, on a phone, in the dark, and to a screen reader.

import assert from "node:assert/strict";
import { test } from "node:test";

import { allRuns, answered, eventually, lane, ready, streamgram, type } from "./streamgram.mjs";
import { VIEWS } from "./views.mjs";

const onPage = streamgram();

/** Opens the menu with the choices that are for all of the page. */
const menu = (page) => page.locator(".menu > summary").click();

test(
  "the prompt works by keyboard alone: Enter, arrows, Escape, Ctrl+L, ?",
  onPage(async ({ page }) => {
    const prompt = page.getByLabel("Line to send");
    await type(page, "one");
    await answered(page, "TCP", 1);
    await type(page, "two");
    await answered(page, "TCP", 1);
    await prompt.fill("draft");
    const recalled = async (key, text) => {
      await prompt.press(key);
      await page.waitForFunction((text) => document.querySelector(".prompt-text").value === text, text);
    };
    await recalled("ArrowUp", "two");
    await recalled("ArrowUp", "one");
    await recalled("ArrowDown", "two");
    await recalled("Escape", "draft");
    await prompt.press("Control+l");
    await page.waitForFunction(() => document.querySelectorAll(".row").length === 0);
    await prompt.press("?");
    assert.equal(await page.getByRole("dialog").count(), 0);
    await page.getByRole("button", { name: /^Send/ }).focus();
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
  }),
);

for (const [width, height] of [[1440, 900], [390, 844]]) {
  test(
    `at ${width} pixels what has the focus is in sight, not below what sticks`,
    onPage(
      async ({ page }) => {
        await VIEWS.burst(page);
        const covered = () =>
          page.evaluate(() => {
            const focused = document.activeElement;
            if (focused === document.body) return [];
            const { left, right, top, bottom } = focused.getBoundingClientRect();
            const points = [[left + 3, top + 3], [(left + right) / 2, (top + bottom) / 2], [right - 3, bottom - 3]];
            const isSeen = points.some((point) => focused.contains(document.elementFromPoint(...point)));
            return isSeen ? [] : [focused.outerHTML.slice(0, 200)];
          });
        // Forth beyond the end of the page, and back.
        for (const key of ["Tab", "Shift+Tab"]) {
          for (let times = 0; times < 60; times++) {
            await page.keyboard.press(key);
            assert.deepEqual(await covered(), [], `${key}, ${times}`);
          }
        }
      },
      { viewport: { width, height } },
    ),
  );
}

/** More rows than a list shows at once. */
async function fiftyLines(page) {
  await page.getByLabel("lines").fill("50");
  await page.getByRole("button", { name: /^Send/ }).click();
  await answered(page, "UDP", 50);
}

const atEnd = (rows) => rows.scrollHeight - rows.scrollTop - rows.clientHeight < 8;

test(
  "a list that becomes lower without being scrolled follows the newest row as before",
  onPage(async ({ page }) => {
    await fiftyLines(page);
    const rows = page.locator(lane("UDP", ".rows"));
    await eventually(async () => assert.equal(await rows.evaluate(atEnd), true));
    // The event of the scroll before comes when the end is farther away already.
    const isAtEnd = await rows.evaluate((rows) => {
      rows.style.height = "8rem";
      rows.dispatchEvent(new Event("scroll"));
      return rows.scrollHeight - rows.scrollTop - rows.clientHeight < 8;
    });
    assert.equal(isAtEnd, false);
    await allRuns(page);
    await type(page, "more");
    await eventually(async () => assert.equal(await rows.evaluate(atEnd), true));
    assert.equal(await page.locator(lane("UDP", ".transcript-jump")).count(), 0);
  }),
);

test(
  "scrolling up stops following, and a button jumps back to the newest row",
  onPage(async ({ page }) => {
    await fiftyLines(page);
    await allRuns(page);
    const rows = page.locator(lane("UDP", ".rows"));
    await rows.evaluate((rows) => (rows.scrollTop = 0));
    const jump = page.locator(lane("UDP", ".transcript-jump"));
    await jump.waitFor();
    await type(page, "more");
    await page.locator(".result-head h2", { hasText: "#2" }).waitFor();
    await answered(page, "UDP", 50);
    assert.equal(await rows.evaluate((rows) => rows.scrollTop), 0);
    await jump.click();
    await jump.waitFor({ state: "detached" });
    await eventually(async () => assert.equal(await rows.evaluate(atEnd), true));
  }),
);

for (const width of [390, 320]) {
  test(
    `at ${width} pixels a long line does not scroll the page sideways`,
    onPage(
      async ({ page }) => {
        await type(page, "x".repeat(3_000));
        await answered(page, "TCP", 1);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.equal(wide, width);
      },
      { viewport: { width, height: 700 } },
    ),
  );
}

test(
  "the language is the browser's, another is kept, and says itself to the document",
  onPage(
    async ({ page }) => {
      await page.getByRole("button", { name: "发送" }).waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-Hans");
      await menu(page);
      await page.getByLabel("语言").selectOption("English");
      await page.getByRole("button", { name: "Send" }).waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
      await page.reload();
      await page.getByRole("button", { name: "Send" }).waitFor();
    },
    { locale: "zh-CN" },
  ),
);

test(
  "what has happened is told in the language that was chosen since",
  onPage(async ({ page }) => {
    await type(page, "");
    await page.locator(".notice", { hasText: "An empty line has no bytes" }).waitFor();
    await page.locator(lane("UDP", ".row-note"), { hasText: "socket open" }).waitFor();
    await menu(page);
    await page.getByLabel("Language").selectOption("简体中文");
    await page.locator(".notice", { hasText: "空行没有任何字节" }).waitFor();
    await page.locator(lane("UDP", ".row-note"), { hasText: "套接字已打开" }).waitFor();
  }),
);

test(
  "colours are the system's until others are chosen, and those are kept",
  onPage(
    async ({ page }) => {
      const dark = () => page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches);
      const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      assert.equal(await dark(), true);
      const asTheSystem = await ground();
      await menu(page);
      await page.getByLabel("Colours").selectOption("light");
      await eventually(async () => assert.notEqual(await ground(), asTheSystem));
      const light = await ground();
      await page.reload();
      await ready(page);
      assert.equal(await ground(), light);
      await menu(page);
      await page.getByLabel("Colours").selectOption("dark");
      await eventually(async () => assert.equal(await ground(), asTheSystem));
    },
    { colorScheme: "dark" },
  ),
);

test(
  "with the system's own few colours a pressed button and the strip still show",
  onPage(
    async ({ page }) => {
      await VIEWS.burst(page);
      const outline = (selector) =>
        page.locator(selector).first().evaluate((it) => getComputedStyle(it).outlineStyle);
      assert.equal(await outline(".targets [aria-pressed=true]"), "solid");
      assert.equal(await outline(".targets [aria-pressed=false]"), "none");
      const cell = page.locator(".strip-cell rect").first();
      const [fill, stroke] = await cell.evaluate((it) => [getComputedStyle(it).fill, getComputedStyle(it).stroke]);
      assert.notEqual(fill, stroke);
    },
    { forcedColors: "active" },
  ),
);

test(
  "a storage that refuses is replaced by memory",
  onPage(async ({ page }) => {
    await page.addInitScript(() => {
      Object.defineProperty(window, "localStorage", {
        get() {
          throw new DOMException("refused", "SecurityError");
        },
      });
    });
    await page.reload();
    await ready(page);
    await menu(page);
    await page.getByLabel("Language").selectOption("简体中文");
    await type(page, "仍然可用", "要发送的内容");
    await page.locator(lane("TCP", ".row[data-status=answered]")).waitFor();
  }),
);

test(
  "a screen reader hears of a burst once, when all of it is known",
  onPage(async ({ page }) => {
    await page.evaluate(() => {
      window.spoken = [];
      const listen = () => {
        const text = document.querySelector(".result-head [role=status]")?.textContent;
        if (text !== undefined && text !== spoken.at(-1)) spoken.push(text);
      };
      new MutationObserver(listen).observe(document.body, { childList: true, characterData: true, subtree: true });
    });
    // Only what comes into a region that is there already is read out: each time it is empty first.
    for (const bursts of [1, 2]) {
      await VIEWS.burst(page);
      await eventually(async () => {
        const spoken = await page.evaluate(() => window.spoken);
        assert.equal(spoken.length, 2 * bursts);
        assert.equal(spoken.at(-2), "");
        assert.match(spoken.at(-1), /^20 sends: TCP .*; UDP 20 datagrams, 20 replies$/);
      });
    }
  }),
);
