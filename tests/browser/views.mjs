// What there is to see on the page, each view with how to get there; by classes, so in any language.

import { connect } from "node:net";

import { ask, choose, go, lead, openRoom, run, vote } from "./rooms.mjs";
import { finding, lane, ready, tab } from "./streamgram.mjs";

/** A fresh page, and on it one of the views. */
export async function show(page, server, view) {
  await page.goto(`http://${server.http}/`);
  await page.reload();
  await ready(page);
  await VIEWS[view](page, server);
}

/** Waits until nothing is to come of `count` lines of the run in sight: each is answered, or given up. */
export async function settled(page, protocol, count) {
  await page.waitForFunction(
    ([selector, count]) => {
      const figures = [...document.querySelectorAll(selector)].map((it) => Number(it.textContent.replace(/\D/g, "")));
      return figures[1] + figures[2] >= count;
    },
    [finding(protocol, ".figures dd"), count],
  );
}

/** Sends what stands in the prompt, or this line, and waits until nothing of `count` lines is to come. */
async function send(page, count, line) {
  if (line !== undefined) await page.locator(".prompt-text").fill(line);
  await page.locator(".prompt-text").press("Enter");
  for (const protocol of ["TCP", "UDP"]) await settled(page, protocol, count);
}

/** Sends twenty lines without a pause. */
async function burst(page) {
  await page.locator(".prompt-burst").click();
  for (const protocol of ["TCP", "UDP"]) await settled(page, protocol, 20);
}

/** Goes over another path, by its place in the row of them, and waits until its legs are open. */
export async function goOver(page, at) {
  await page.locator(".link-presets button").nth(at).click();
  await ready(page);
}

/** Line 3 lost, with the send that suits it. */
async function lineLost(page) {
  await goOver(page, 8);
  await page.locator(".suited button").click();
  await send(page, 5);
}

/** Goes to an area of the page. */
async function area(page, name) {
  await page.locator(`.views a[href='#${name}']`).click();
  await page.locator(`.main[data-view=${name}]`).waitFor();
}

/** Predicts the first of a lesson's choices, and runs it. */
export async function lesson(page, id) {
  await page.evaluate((id) => (location.hash = `lesson=${id}`), id);
  await page.locator(`[data-lesson=${id}] .lesson-choice input`).first().check();
  await page.locator(".lesson .primary").click();
  await page.locator(".lesson-outcome").waitFor();
}

/** A client that says this over TCP and ends once it was answered. */
export function externalClient({ tcp }, text) {
  const at = tcp.lastIndexOf(":");
  const socket = connect(Number(tcp.slice(at + 1)), tcp.slice(0, at), () => socket.write(text));
  socket.once("data", () => socket.end());
  return socket;
}

/** A link with a lesson, and with something that is not taken as it stands. */
const OFFER = "v1&text=line%20%7Bn%7D&count=5&every=400&delay=25&rule=lose_line:3&loss=101&lang=fr&host=example";

export const VIEWS = {
  start: async () => {},
  line: (page) => send(page, 1),
  burst,
  split: (page) => send(page, 1, "套接字".repeat(167)),
  lab: async (page) => {
    await lineLost(page);
    // Only where there is little room it is a tab.
    const ladder = page.locator("[role=tab][data-tab=ladder]");
    if (await ladder.isVisible()) await ladder.click();
    await page.locator(".ladder-window").press("Home");
  },
  knobs: async (page) => {
    await goOver(page, 10);
    await page.locator(".link-more").waitFor();
  },
  bytes: async (page) => {
    await burst(page);
    await tab(page, "bytes");
  },
  terminal: async (page) => {
    await burst(page);
    await tab(page, "code");
    await page.locator(".commands .targets button").nth(1).click();
  },
  list: async (page) => {
    await burst(page);
    await page.locator(".transcript-tools .targets").nth(3).locator("button").nth(1).click();
    await page.locator(".one-list .row").first().waitFor();
    await page.locator(".one-list").scrollIntoViewIfNeeded();
  },
  detail: async (page) => {
    await burst(page);
    await page.locator(lane("TCP", ".row[data-kind=reply]")).last().click();
    await page.locator(".row-detail").waitFor();
  },
  compare: async (page) => {
    await burst(page);
    await lineLost(page);
    await page.locator(".run-compare").last().click();
    await page.locator(".compare").waitFor();
  },
  client: async (page, server) => {
    await burst(page);
    externalClient(server, "hello from elsewhere");
    await page.locator(".clients-badge[data-open=false]").waitFor();
    await page.locator(".clients-badge").click();
    await page.locator(".client-reads").waitFor();
  },
  export: async (page) => {
    await lineLost(page);
    await tab(page, "export");
    await page.locator(".exports").waitFor();
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
    await page.locator(".main > .notice", { hasText: "q" }).waitFor();
  },
  lessons: async (page) => {
    await area(page, "lessons");
    await page.locator(".lessons-list").waitFor();
  },
  lesson: (page) => lesson(page, "reliability"),
  share: async (page) => {
    await page.locator(".share-open").click();
    await page.locator(".share[open]").waitFor();
  },
  large: async (page) => {
    await burst(page);
    await page.locator(".share-open").click();
    await page.locator(".share-parts button").click();
    await page.locator(":root[data-view=large]").waitFor();
  },
  plots: async (page) => {
    await goOver(page, 1);
    await burst(page);
    await area(page, "plots");
    await page.locator(".plots-repeat button").click();
    await page.locator(".plots-repeat [role=status]", { hasText: "50" }).waitFor();
    await page.locator(".plot details").last().evaluate((table) => (table.open = true));
    await page.locator(".plot table").waitFor();
  },
  sweep: async (page) => {
    await area(page, "plots");
    await page.locator(".sweep > details > summary").click();
    await page.locator(".sweep .targets button").last().click();
    await page.locator(".sweep-start").click();
    await page.locator(".sweep [role=status]", { hasText: /./ }).waitFor();
    await page.locator(".sweep .plot details").last().evaluate((table) => (table.open = true));
    await page.locator(".sweep table").waitFor();
    await page.locator(".sweep").scrollIntoViewIfNeeded();
  },
  teach: async (page) => {
    await area(page, "teach");
    await page.locator(".room-open").waitFor();
  },
  keys: async (page) => {
    await page.locator(".menu > summary").click();
    await page.locator(".shortcuts-button").click();
    await page.locator(".shortcuts").waitFor();
  },
  // The last ones: a reload asks again, and goes back into the room.
  offer: async (page) => {
    await page.evaluate((fragment) => (location.hash = fragment), OFFER);
    await page.locator(".offer").waitFor();
  },
  desk: async (page) => {
    const { code } = await openRoom(page);
    await lead(page, 2);
    await ask(page, "predict");
    const student = await page.context().newPage();
    await student.goto(`${new URL("/", page.url())}#room=${code}`);
    await go(student);
    await choose(student, 1);
    await vote(student, "counted");
    await run(student);
    await student.close();
    await ask(page, "reveal");
    await page.locator(".room-ask .votes").waitFor();
  },
};
