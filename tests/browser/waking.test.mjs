// A device that was asleep wakes up with a connection that is gone without a word.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, connect } from "node:net";
import { after, before, test } from "node:test";

import { answered, eventually, named, ready, startServer, streamgram, type } from "./streamgram.mjs";

const onPage = streamgram();

let server, relay;
/** Sockets of the relay by the connection that they belong to. */
const pairs = new Set();
before(async () => {
  relay = createServer((near) => {
    const [host, port] = server.http.split(":");
    const far = connect(Number(port), host);
    const pair = [near, far];
    pairs.add(pair);
    near.pipe(far);
    far.pipe(near);
    for (const socket of pair) socket.on("error", () => {}).on("close", () => pairs.delete(pair));
  });
  await once(relay.listen(0, "127.0.0.1"), "listening");
  server = await startServer();
});
after(async () => {
  for (const socket of [...pairs].flat()) socket.destroy();
  relay.close();
  await server.stop();
});
const http = () => `127.0.0.1:${relay.address().port}`;

/** From here on, nothing comes through what is connected now, and nobody is told. */
function fallAsleep() {
  for (const [near, far] of pairs) {
    near.unpipe(far);
    far.unpipe(near);
    for (const socket of [near, far]) socket.resume();
  }
}

for (const [name, wake] of [
  ["becomes visible", () => document.dispatchEvent(new Event("visibilitychange", { bubbles: true }))],
  ["is shown from the browser's memory", () => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))],
  ["is online again", () => dispatchEvent(new Event("online"))],
]) {
  test(
    `a page that ${name} asks whether its connection lives, and connects anew if it does not`,
    onPage(
      async ({ page, events }) => {
        const pongs = () => events.filter((event) => event.type === "pong").length;
        await page.evaluate(wake);
        await eventually(() => assert.equal(pongs(), 1));
        await type(page, "before");
        await answered(page, "TCP", 1);
        fallAsleep();
        await page.evaluate(wake);
        await page.getByRole("button", { name: "Open both sockets" }).click();
        await ready(page);
        await type(page, "after");
        await answered(page, "TCP", 1);
        const hellos = events.filter((event) => event.type === "hello");
        assert.equal(hellos.length, 2);
      },
      { http },
    ),
  );
}

test(
  "a page that wakes up while it waits to try again tries at once",
  onPage(async ({ page }) => {
    const own = await startServer();
    await page.goto(`http://${own.http}/`);
    await ready(page);
    await own.stop();
    // The longest pause is 8 s: after some attempts the next is seconds away.
    await page.locator(".header .badge", { hasText: /next try in [4-8] s/ }).waitFor();
    const again = await startServer(own.http);
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await page.locator(".header .badge[data-status=connected]").waitFor({ timeout: 2_000 });
    await again.stop();
  }),
);
