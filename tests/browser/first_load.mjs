// Measures a first load, as often as is asked for, and prints JSON: what goes over the wire, and on a
// processor of a quarter of the speed when something is painted and when the prompt takes a line. Run by
// `cargo xtask bench`.

import { chromium } from "playwright-core";

import { FLAGS, startServer } from "./streamgram.mjs";

const loads = Number(process.argv[2]);
const RATE = 4;

/** In the page, before anything of it: notes when the prompt can be typed into and its task is over. */
function watch() {
  const seen = new MutationObserver(() => {
    if (!document.querySelector(".prompt-text:enabled")) return;
    seen.disconnect();
    setTimeout(() => (window.interactiveMs = performance.now()));
  });
  seen.observe(document, { subtree: true, childList: true, attributes: true });
}

/** In the page: what was measured of it. */
function figures() {
  const loaded = performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"));
  return {
    bytes: loaded.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
    painted_ms: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    interactive_ms: window.interactiveMs,
  };
}

const server = await startServer();
const executablePath = process.env.STREAMGRAM_CHROMIUM;
const found = [];
try {
  for (let load = 0; load < loads; load++) {
    // A browser of its own: nothing is cached, the compiled wasm neither.
    const browser = await chromium.launch({ executablePath, args: FLAGS });
    const page = await browser.newPage();
    const cdp = await page.context().newCDPSession(page);
    await cdp.send("Emulation.setCPUThrottlingRate", { rate: RATE });
    await page.addInitScript(watch);
    await page.goto(`http://${server.http}/`);
    await page.waitForFunction(() => window.interactiveMs);
    found.push(await page.evaluate(figures));
    await browser.close();
  }
} finally {
  await server.stop();
}
console.log(JSON.stringify(found));
