// The page by keyboard, on a phone, in the dark, and to a screen reader.

import assert from "node:assert/strict";
import { test } from "node:test";

import AxeBuilder from "@axe-core/playwright";

import { answered, eventually, lane, streamgram, type } from "./streamgram.mjs";

const onPage = streamgram();

test(
  "the prompt works by keyboard alone: Enter, arrows, Escape, Ctrl+L, ?",
  onPage(async ({ page }) => {
    const prompt = page.getByLabel("Line to send");
    await type(page, "one");
    await answered(page, "TCP", 1);
    await type(page, "two");
    await answered(page, "TCP", 2);
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

test(
  "scrolling up stops following, and a button jumps back to the newest row",
  onPage(async ({ page }) => {
    await page.getByLabel("lines").fill("50");
    await page.getByRole("button", { name: /^Send/ }).click();
    await answered(page, "UDP", 50);
    const rows = page.locator(lane("UDP", ".rows"));
    const atEnd = (rows) => rows.scrollHeight - rows.scrollTop - rows.clientHeight < 8;
    await rows.evaluate((rows) => (rows.scrollTop = 0));
    const jump = page.locator(lane("UDP", ".transcript-jump"));
    await jump.waitFor();
    await type(page, "more");
    await answered(page, "UDP", 51);
    assert.equal(await rows.evaluate((rows) => rows.scrollTop), 0);
    await jump.click();
    await jump.waitFor({ state: "detached" });
    await eventually(async () => assert.equal(await rows.evaluate(atEnd), true));
  }),
);

for (const width of [390, 320]) {
  test(
    `at ${width} pixels nothing scrolls sideways`,
    onPage(
      async ({ page }) => {
        await page.getByRole("button", { name: "Burst 20" }).click();
        await answered(page, "UDP", 20);
        await type(page, "x".repeat(3_000));
        await answered(page, "TCP", 21);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.equal(wide, width);
      },
      { viewport: { width, height: 700 } },
    ),
  );
}

for (const colorScheme of ["light", "dark"]) {
  test(
    `axe finds nothing, ${colorScheme}`,
    onPage(
      async ({ page }) => {
        await page.getByRole("button", { name: "Burst 20" }).click();
        await answered(page, "TCP", 20);
        await answered(page, "UDP", 20);
        await type(page, "");
        await page.locator(".notice").waitFor();
        const scan = async () => {
          const { violations } = await new AxeBuilder({ page }).analyze();
          assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), []);
        };
        await scan();
        await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
        await page.getByRole("dialog").waitFor();
        await scan();
      },
      { colorScheme },
    ),
  );
}
