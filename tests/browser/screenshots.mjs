// Makes docs/screenshots anew: every view in both languages and both themes, and on a phone. Run by
// `cargo xtask screenshots`.

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { FLAGS, ready, startServer } from "./streamgram.mjs";
import { VIEWS } from "./views.mjs";

const folder = process.argv[2];
const SIZES = { "": { width: 1440, height: 900 }, "-phone": { width: 390, height: 844 } };

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const server = await startServer();
const browser = await chromium.launch({ executablePath: process.env.STREAMGRAM_CHROMIUM, args: FLAGS });
for (const [language, locale] of Object.entries({ en: "en-US", zh: "zh-CN" })) {
  for (const colorScheme of ["light", "dark"]) {
    for (const [suffix, viewport] of Object.entries(SIZES)) {
      // A phone is seen in one theme a language: two of each would tell nothing more.
      if (suffix !== "" && (language === "en") !== (colorScheme === "light")) continue;
      const page = await browser.newPage({ locale, colorScheme, viewport });
      for (const [view, show] of Object.entries(VIEWS)) {
        await page.goto(`http://${server.http}/`);
        await page.reload();
        await ready(page);
        await show(page, server);
        await page.mouse.move(0, 0);
        await page.screenshot({ path: join(folder, `${view}-${language}-${colorScheme}${suffix}.png`) });
      }
      // What stands there while the server is away.
      const gone = await startServer();
      await page.goto(`http://${gone.http}/`);
      await ready(page);
      await VIEWS.line(page);
      await gone.stop();
      await page.locator(".absence").waitFor();
      await page.screenshot({ path: join(folder, `away-${language}-${colorScheme}${suffix}.png`) });
      await page.close();
    }
  }
}
await browser.close();
await server.stop();
