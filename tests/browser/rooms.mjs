// A class in a room: who teaches and who learns, each in a browser context of their own.

import assert from "node:assert/strict";

import { eventually, visitor } from "./streamgram.mjs";

export const DESK = { viewport: { width: 1440, height: 900 } };
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/**
 * A page at an address, what it sends to its room, and a way to cut it off from the server: its WebSocket is closed, and
 * no other is let through until it is back.
 */
export async function visit(browser, address, options) {
  const context = await visitor(browser, options);
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  const [sockets, sent] = [new Set(), []];
  let isAway = false;
  await page.routeWebSocket(/\/ws$/, (socket) => {
    if (isAway) return void socket.close();
    const server = socket.connectToServer();
    sockets.add(socket);
    socket.onMessage((message) => {
      const { room } = JSON.parse(message);
      if (room) sent.push(room);
      server.send(message);
    });
  });
  await page.goto(address);
  return {
    page,
    sent,
    goAway: async () => {
      isAway = true;
      await Promise.all([...sockets].map((socket) => socket.close()));
      sockets.clear();
      await page.locator(".header .badge[data-status=lost]").waitFor();
    },
    comeBack: async () => {
      isAway = false;
      await page.locator(".header .badge[data-status=connected]").waitFor();
    },
    close: async () => {
      await context.close();
      assert.deepEqual(errors, []);
    },
  };
}

/** Opens a room; its code, and the link for students. */
export async function openRoom(page) {
  await page.locator(".views a[href='#teach']").click();
  await page.locator(".room-open .primary").click();
  const code = await page.locator(".room-code").textContent();
  return { code, link: await page.locator(".room-link code").textContent() };
}

/** Joins by typing a code. */
export async function join(page, code) {
  await page.locator(".views a[href='#teach']").click();
  await page.locator("#room-code").fill(code);
  await page.keyboard.press("Enter");
}

/** Waits until the page says that so many students are there. */
export async function here(page, students) {
  const who = page.locator(".room-bar-who");
  await eventually(async () => assert.match(await who.innerText(), new RegExp(`· ${students} `)));
}

/** Leads the class to a lesson, by its place in the list. */
export async function lead(page, at) {
  await page.locator("[data-place=lesson] select").selectOption({ index: at });
  await page.locator("[data-place=lesson] button").click();
}

/** Asks the class: `predict`, `again` or `reveal`. */
export async function ask(page, stage) {
  await page.locator(`.room-stages [data-stage=${stage}]`).click();
  await page.locator(`.room-stages [data-stage=${stage}][aria-pressed=true]`).waitFor();
}

/** Goes where the class is. */
export async function go(page) {
  await page.locator(".room-go").click();
  await page.locator(".room-go").waitFor({ state: "detached" });
}

/** Waits until the own vote is `none`, `kept` or `counted`. */
export const vote = (page, how) => page.locator(`.class-own[data-vote=${how}]`).waitFor();

/** Chooses among what is predicted. */
export const choose = (page, at) => page.locator(".lesson-choice input").nth(at).check();

/** Runs the lesson, and waits until it is clear what came of it. */
export async function run(page) {
  await page.locator(".lesson .primary").click();
  await page.locator(".lesson-outcome").waitFor();
}

/** What the page shows of the votes: for each choice the bars' texts, and which bars are its own. */
export const bars = (page) =>
  page.locator(".pooled .votes > li").evaluateAll((choices) =>
    choices.map((choice) =>
      [...choice.querySelectorAll(".votes-bar")].map((bar) => ({
        when: bar.dataset.when,
        text: bar.querySelector("[translate=no]").textContent,
        own: bar.dataset.own === "true",
      })),
    ),
  );

/** Whether something stands beside the window. */
export const isWide = (page) =>
  page.evaluate(() => document.scrollingElement.scrollWidth > document.scrollingElement.clientWidth);
