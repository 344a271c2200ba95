// The tools of the transcript, and bursts that fill it.

import { tab } from "./streamgram.mjs";

/** What the tools say about the rows, as numbers: shown, kept, dropped, as far as there are. */
export async function figures(page) {
  const text = await page.locator(".transcript-count").textContent();
  return text.replaceAll(",", "").match(/\d+/g).map(Number);
}

export const search = (page, text) => page.locator(".transcript-search").fill(text);

/** Saves a file of all rows by its button; its lines. */
export async function saved(page, index) {
  await tab(page, "export");
  const saving = page.waitForEvent("download");
  await page.locator(".export").first().locator("button").nth(index).click();
  let content = "";
  for await (const chunk of (await (await saving).createReadStream()).setEncoding("utf8")) content += chunk;
  return content.trimEnd().split("\n");
}

/** Sends a burst to one leg or both. */
export async function burst(page, target, count, interval = 0) {
  await page.locator(`[data-target=${target}]`).click();
  const numbers = page.locator(".prompt input[type=number]");
  await numbers.nth(0).fill(String(count));
  await numbers.nth(1).fill(String(interval));
  await page.locator(".prompt button.primary").click();
}
