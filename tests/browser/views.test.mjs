// Every view of the page, in both languages and themes, from a phone to a wall.

import assert from "node:assert/strict";
import { test } from "node:test";

import { startServer, streamgram, violations } from "./streamgram.mjs";
import { VIEWS, show } from "./views.mjs";

const onPage = streamgram();

const WIDTHS = [2560, 1440, 768, 390, 320];

/** Axe finds nothing, in either theme. */
async function isAccessible(page, view) {
  for (const colorScheme of ["light", "dark"]) {
    // Otherwise colours change slowly from one theme to the other.
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    assert.deepEqual(await violations(page), [], `${view}, ${colorScheme}`);
  }
}

/** Controls that a finger would miss (WCAG 2.2, 2.5.8). What is drawn inside a line of text is exempt. */
function tooSmall() {
  const controls = document.querySelectorAll("button, select, input, summary, textarea, a[href], [tabindex='0']");
  const size = (control) => (control.closest("label") ?? control).getBoundingClientRect();
  const small = ({ width, height }) => width > 0 && (width < 24 || height < 24);
  return [...controls].filter((control) => small(size(control))).map((control) => control.outerHTML);
}

/** Nothing scrolls sideways or is too small to be hit. */
async function fits(page, width, view) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.equal(wide, width, `${view}, ${width} pixels`);
  assert.deepEqual(await page.evaluate(tooSmall), [], `${view}, ${width} pixels`);
}

for (const locale of ["en-US", "zh-CN"]) {
  let gone;
  test(
    `axe finds nothing while the server is away: ${locale}`,
    onPage(
      async ({ page }) => {
        await VIEWS.line(page);
        await gone.stop();
        await page.locator(".absence").waitFor();
        await isAccessible(page, "away");
      },
      { locale, http: async () => (gone = await startServer()).http },
    ),
  );

  test(
    `in no view anything scrolls sideways or is smaller than 24 pixels, and axe finds nothing: ${locale}`,
    onPage(
      async ({ page, server }) => {
        for (const view of Object.keys(VIEWS)) {
          await page.setViewportSize({ width: 1440, height: 700 });
          await show(page, server, view);
          await isAccessible(page, view);
          for (const width of WIDTHS) {
            await page.setViewportSize({ width, height: 700 });
            await fits(page, width, view);
          }
        }
      },
      { locale },
    ),
  );

  test(
    `on a phone no tab of a result scrolls sideways or is smaller than 24 pixels, and axe finds nothing: ${locale}`,
    onPage(
      async ({ page, server }) => {
        await page.setViewportSize({ width: 390, height: 844 });
        await show(page, server, "lab");
        for (const tab of await page.getByRole("tab").all()) {
          await tab.click();
          const name = await tab.innerText();
          await fits(page, 390, name);
          await isAccessible(page, name);
        }
      },
      { locale },
    ),
  );
}
