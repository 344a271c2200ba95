// Every view of the page, in both languages and themes, wide and narrow.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ready, startServer, streamgram, violations } from "./streamgram.mjs";
import { VIEWS } from "./views.mjs";

const onPage = streamgram();

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

  for (const width of [1440, 390, 320]) {
    test(
      `in no view anything scrolls sideways or is smaller than 24 pixels, and axe finds nothing: ${width} pixels, ${locale}`,
      onPage(
        async ({ page, server }) => {
          for (const [view, show] of Object.entries(VIEWS)) {
            await page.reload();
            await ready(page);
            await show(page, server);
            const wide = await page.evaluate(() => document.documentElement.scrollWidth);
            assert.equal(wide, width, view);
            assert.deepEqual(await page.evaluate(tooSmall), [], view);
            if (width === 1440) await isAccessible(page, view);
          }
        },
        { locale, viewport: { width, height: 700 } },
      ),
    );
  }
}
