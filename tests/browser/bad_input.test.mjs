// What a person can do wrong at the prompt, and what a payload must not be able to do.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answered, lane, of, socket, streamgram, type } from "./streamgram.mjs";

const onPage = streamgram();

/** Sends, and returns what the page says instead of sending. */
async function refusal(page, text) {
  await type(page, text);
  const notice = page.locator(".notice");
  await notice.waitFor();
  return notice.textContent();
}

test(
  "an empty line is not sent, and the page says why and where an empty datagram is",
  onPage(async ({ page, events }) => {
    assert.match(await refusal(page, ""), /nothing to send over TCP.*empty datagram/);
    await page.locator("[data-target=UDP]").click();
    assert.match(await refusal(page, ""), /“empty datagram” button of the UDP socket/);
    assert.equal(of(events, "sent", "tcp").length + of(events, "sent", "udp").length, 0);
  }),
);

test(
  "what is above a limit is refused before it is sent, naming the limit",
  onPage(async ({ page, events }) => {
    assert.match(await refusal(page, "x".repeat(65_508)), /65,508 bytes, the limit is 65,507/);
    await page.getByLabel("lines").fill("1001");
    assert.match(await refusal(page, "x"), /lines must be .* from 1 to 1,000/);
    await page.getByLabel("lines").fill("1");
    await page.getByLabel("every").fill("10001");
    assert.match(await refusal(page, "x"), /interval must be .* at most 10,000/);
    assert.equal(of(events, "sent", "tcp").length + of(events, "sent", "udp").length, 0);
  }),
);

test(
  "a line for a leg that is closed is refused, with a button that opens the leg",
  onPage(async ({ page }) => {
    await page.locator(socket("TCP")).getByRole("button", { name: "close", exact: true }).click();
    await page.locator(socket("TCP", ".badge"), { hasText: "closed" }).waitFor();
    assert.match(await refusal(page, "x"), /TCP is not open/);
    await page.getByRole("button", { name: "Open TCP" }).click();
    await page.locator(socket("TCP", ".badge[data-status=connected]")).waitFor();
    await type(page, "x");
    await answered(page, "TCP", 1);
  }),
);

test(
  "a hostile payload stays text",
  onPage(async ({ page }) => {
    await type(page, "<img src=x onerror=document.title='owned'>\u001b[2J\u202eabc");
    await answered(page, "TCP", 1);
    assert.equal(await page.locator(".transcript img").count(), 0);
    assert.equal(await page.title(), "Streamgram");
    const bytes = page.locator(lane("TCP", ".row[data-kind=reply] .row-bytes")).first();
    assert.match(await bytes.textContent(), /<img src=x onerror=.*>\\x1b\[2J\\u\{202e\}abc$/);
    assert.equal(await bytes.locator(".escape").count(), 2);
  }),
);
