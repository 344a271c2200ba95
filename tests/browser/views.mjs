// What there is to see on the page, each view with how to get there; by classes, so in any language.

import { connect } from "node:net";

import { finding, lane, ready, socket } from "./streamgram.mjs";

/** Sends what stands in the prompt, or this line, and waits until `count` lines are answered by both. */
async function send(page, count, line) {
  if (line !== undefined) await page.locator(".prompt-text").fill(line);
  await page.locator(".prompt-text").press("Enter");
  await answered(page, count);
}

async function answered(page, count) {
  for (const protocol of ["TCP", "UDP"]) {
    const figure = page.locator(finding(protocol, ".figures dd")).nth(1);
    await figure.getByText(String(count), { exact: true }).waitFor();
  }
}

/** Sends twenty lines without a pause. */
async function burst(page) {
  await page.locator(".prompt-burst").click();
  await answered(page, 20);
}

/** A link with a lesson, and with something that is not taken as it stands. */
const OFFER = "v1&text=line%20%7Bn%7D&count=5&every=400&delay=25&rule=lose_line:3&loss=101&lang=fr&host=example";

export const VIEWS = {
  start: async () => {},
  line: (page) => send(page, 1),
  burst,
  split: (page) => send(page, 1, "套接字".repeat(167)),
  lab: async (page) => {
    await page.locator(".link-presets button").nth(7).click();
    await page.locator(socket("TCP", ".badge[data-status=connected]")).waitFor();
    await page.locator(".prompt-text").press("Enter");
    await page.locator(finding("UDP", ".figures dd")).nth(2).getByText("1", { exact: true }).waitFor();
    await page.locator(finding("TCP", ".figures dd")).nth(1).getByText("5", { exact: true }).waitFor();
    await page.locator(".link-more").evaluate((more) => (more.open = true));
    await page.locator(".ladder-window").press("Home");
  },
  list: async (page) => {
    await burst(page);
    await page.locator(".transcript-tools .targets").nth(2).locator("button").nth(1).click();
    await page.locator(".one-list .row").first().waitFor();
    await page.locator(".one-list").scrollIntoViewIfNeeded();
  },
  detail: async (page) => {
    await burst(page);
    await page.locator(lane("TCP", ".row[data-kind=reply]")).last().click();
    await page.locator(".row-detail").waitFor();
  },
  raw: async (page, { tcp }) => {
    await burst(page);
    const [host, port] = tcp.split(":");
    const socket = connect(Number(port), host, () => socket.end("hello from elsewhere"));
    socket.resume();
    await page.locator(".client-line").first().click();
    await page.locator(".clients").scrollIntoViewIfNeeded();
  },
  prompt: async (page) => {
    await page.locator(".prompt-more").evaluate((more) => (more.open = true));
    await page.locator(".prompt-choice button").nth(1).click();
    await page.locator(".prompt-choice button").nth(5).click();
    await page.locator(".prompt-text").fill("GET /{n} HTTP/1.0\\r\\n");
    await page.locator(".saved-new input").fill("HTTP");
    await page.locator(".saved-new button").click();
    await page.locator(".saved-use").waitFor();
    await send(page, 3, "one\ntwo\nthree");
    await page.locator(".prompt-text").fill(String.raw`\q`);
    await page.locator(".prompt-text").press("Enter");
    await page.locator(".prompt > .notice", { hasText: "q" }).waitFor();
  },
  terminal: async (page) => {
    await burst(page);
    await page.locator(".commands .targets button").nth(1).click();
    await page.locator(".commands").scrollIntoViewIfNeeded();
  },
  lesson: async (page) => {
    await page.evaluate(() => (location.hash = "lesson=connection"));
    await page.locator(".lesson-choice input").first().check();
    await page.locator(".lesson .primary").click();
    await page.locator(".lesson-outcome").waitFor();
  },
  share: async (page) => {
    await page.locator(".prompt-share").click();
    await page.locator(".share[open]").waitFor();
  },
  large: async (page) => {
    await burst(page);
    await page.locator(".prompt-share").click();
    await page.locator(".share-parts button").click();
    await page.locator(":root[data-view=large]").waitFor();
  },
  plots: async (page) => {
    await page.locator(".plots > details > summary").click();
    await page.locator(".link .targets button").nth(1).click();
    await page.locator(socket("UDP", ".socket-addresses")).waitFor();
    await ready(page);
    await burst(page);
    await page.locator(".plots-repeat button").click();
    await page.locator(".plots-repeat [role=status]", { hasText: "50" }).waitFor();
    await page.locator(".plot details").last().evaluate((table) => (table.open = true));
    await page.locator(".plot table").waitFor();
    await page.locator(".plots").scrollIntoViewIfNeeded();
  },
  sweep: async (page) => {
    await page.locator(".sweep > details > summary").click();
    await page.locator(".sweep .targets button").last().click();
    await page.locator(".sweep-start").click();
    await page.locator(".sweep [role=status]", { hasText: /./ }).waitFor();
    await page.locator(".sweep .plot details").last().evaluate((table) => (table.open = true));
    await page.locator(".sweep table").waitFor();
    await page.locator(".sweep").scrollIntoViewIfNeeded();
  },
  keys: async (page) => {
    await page.locator(".shortcuts-button").click();
    await page.locator(".shortcuts").waitFor();
  },
  // The last one: a reload asks again.
  offer: async (page) => {
    await page.evaluate((fragment) => (location.hash = fragment), OFFER);
    await page.locator(".offer").waitFor();
  },
};
