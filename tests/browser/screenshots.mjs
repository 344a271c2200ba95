// Makes docs/screenshots anew: every view in both languages and both themes, and on a phone. Run by
// `cargo xtask screenshots`. With `every` behind the folder: each in four widths and both themes, to be looked at.

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { FLAGS, ready, startServer } from "./streamgram.mjs";
import { VIEWS, show } from "./views.mjs";

const [folder, every] = process.argv.slice(2);
const SIZES = { "": { width: 1440, height: 900 }, "-phone": { width: 390, height: 844 } };
if (every) Object.assign(SIZES, { "-wall": { width: 2560, height: 1440 }, "-tablet": { width: 768, height: 1024 } });

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const server = await startServer();
const browser = await chromium.launch({ executablePath: process.env.STREAMGRAM_CHROMIUM, args: FLAGS });
for (const [language, locale] of Object.entries({ en: "en-US", zh: "zh-CN" })) {
  for (const colorScheme of ["light", "dark"]) {
    for (const [suffix, viewport] of Object.entries(SIZES)) {
      // A phone is seen in one theme a language: two of each would tell nothing more.
      if (!every && suffix !== "" && (language === "en") !== (colorScheme === "light")) continue;
      // A context of its own: who teaches opens a second page in it.
      const context = await browser.newContext({ locale, colorScheme, viewport });
      const page = await context.newPage();
      const name = (view) => join(folder, `${view}-${language}-${colorScheme}${suffix}.png`);
      for (const view of Object.keys(VIEWS)) {
        await show(page, server, view);
        await page.mouse.move(0, 0);
        await page.screenshot({ path: name(view) });
      }
      // What stands there while the server is away.
      const gone = await startServer();
      await page.goto(`http://${gone.http}/`);
      await ready(page);
      await VIEWS.line(page);
      await gone.stop();
      await page.locator(".absence").waitFor();
      await page.screenshot({ path: name("away") });
      await context.close();
    }
  }
}
await browser.close();
await server.stop();
