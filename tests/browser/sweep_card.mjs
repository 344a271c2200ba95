// The card of the sweep: how it is worked, what it saves, and what the binary says to the same.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { eventually } from "./streamgram.mjs";

/** What `streamgram sweep --csv` prints. */
export async function native(kind, ...flags) {
  const { stdout } = await promisify(execFile)(process.env.STREAMGRAM_BIN, ["sweep", kind, "--csv", ...flags]);
  return stdout;
}

export async function open(page) {
  await page.locator(".views a[href='#plots']").click();
  await page.locator(".sweep > details > summary").click();
  await page.locator(".sweep-start").waitFor();
}

export const start = (page) => page.locator(".sweep-start");
export const said = (page) => page.locator(".sweep [role=status]");

/** Starts what is chosen and waits for its end. */
export async function run(page) {
  await start(page).click();
  await said(page).getByText("The sweep is done.").waitFor();
}

/** What the first button of this name saves. */
export async function saved(page, name) {
  const saving = page.waitForEvent("download");
  await page.locator(".sweep").getByRole("button", { name, exact: true }).first().click();
  let content = "";
  for await (const chunk of (await (await saving).createReadStream()).setEncoding("utf8")) content += chunk;
  return content;
}

/** The cells of every table, row by row. */
export async function tables(page) {
  await page.locator(".sweep .plot details").evaluateAll((all) => all.forEach((details) => (details.open = true)));
  const count = await page.locator(".sweep .plot").count();
  await eventually(async () => assert.equal(await page.locator(".sweep table").count(), count));
  return page.locator(".sweep table").evaluateAll((tables) =>
    tables.map((table) =>
      [...table.querySelectorAll("tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent)),
    ),
  );
}
