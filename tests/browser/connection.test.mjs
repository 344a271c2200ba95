// How legs and the connection to the server end, and what the page says then.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { answered, eventually, lane, of, ready, socket, startServer, streamgram, type } from "./streamgram.mjs";

const onPage = streamgram();

test(
  "after a half-close the server closes its side, and the page shows that",
  onPage(async ({ page, events }) => {
    await page.getByRole("button", { name: "half-close" }).click();
    await page.locator(socket("TCP", ".badge"), { hasText: "closed by the peer" }).waitFor();
    assert.equal(of(events, "closed", "tcp")[0].cause, "peer_closed");
    await page.locator(lane("TCP", ".row-note"), { hasText: "FIN sent" }).waitFor();
    await page.getByRole("button", { name: "connect", exact: true }).click();
    await ready(page);
  }),
);

test(
  "a reset is shown as one",
  onPage(async ({ page }) => {
    await page.getByRole("button", { name: "reset" }).click();
    await page.locator(socket("TCP", ".badge"), { hasText: "reset" }).waitFor();
  }),
);

test(
  "a close before the replies have been read is a reset to the server, and the page says why",
  onPage(async ({ page, events }) => {
    await page.getByLabel("Line to send").fill("x".repeat(10_000));
    await page.getByLabel("lines").fill("1000");
    // In one go: ten megabytes and their replies are still under way when the socket is closed.
    await page.evaluate(() => {
      const close = [...document.querySelectorAll(".socket[data-protocol=TCP] button")];
      document.querySelector(".prompt button.primary").click();
      close.find((button) => button.textContent === "close").click();
    });
    await eventually(() => assert.equal(of(events, "server_closed", "tcp")[0]?.cause, "peer_reset"));
    await page.locator(lane("TCP", ".row-note"), { hasText: "RFC 2525" }).waitFor();
  }),
);

test(
  "TCP_NODELAY is turned by its box",
  onPage(async ({ page, events }) => {
    await page.getByLabel("TCP_NODELAY").uncheck();
    await page.locator(lane("TCP", ".row-note"), { hasText: "TCP_NODELAY is off" }).waitFor();
    assert.equal(of(events, "nodelay_set", "tcp")[0].nodelay, false);
  }),
);

let server;
before(async () => (server = await startServer()));
after(() => server.stop());

test(
  "when the server is gone and back, both lanes show the gap, nothing is resent, legs open by a click",
  onPage(
    async ({ page, events }) => {
      await type(page, "before");
      await answered(page, "TCP", 1);
      await answered(page, "UDP", 1);
      // Of a leg's second run too.
      await type(page, "again");
      await page.locator(lane("UDP", ".row"), { hasText: "again" }).waitFor();
      await answered(page, "TCP", 1);
      const { http } = server;
      await server.stop();
      await page.locator(".header .badge[data-status=lost]").waitFor();
      await page.locator(".absence[data-absence=away]", { hasText: "stays" }).waitFor();
      await page.getByRole("button", { name: "connect", exact: true }).click();
      await page.locator(".notice", { hasText: "out of reach" }).waitFor();
      await page.locator(socket("TCP", ".badge[data-status=none]")).waitFor();
      await type(page, "while it is gone");
      await page.locator(".notice", { hasText: "out of reach" }).waitFor();
      server = await startServer(http);
      await page.locator(".header .badge[data-status=connected]").waitFor();
      for (const protocol of ["TCP", "UDP"]) {
        await page.locator(lane(protocol, ".row-note"), { hasText: /gap: .* out of reach for/ }).waitFor();
      }
      await page.locator(".absence[data-absence=back]").waitFor();
      assert.equal(of(events, "opened", "tcp").length, 1);
      await page.getByRole("button", { name: "Open both sockets" }).click();
      await ready(page);
      assert.equal(await page.locator(".absence").count(), 0);
      assert.equal(of(events, "sent", "tcp").length, 2);
      await type(page, "after");
      const rows = page.locator(lane("TCP", ".row"));
      await rows.filter({ hasText: "→ 1after" }).waitFor();
      await answered(page, "TCP", 1);
      assert.equal(of(events, "answered", "tcp").length, 3);
      // What the session before told of a leg with this number is none of it.
      await eventually(async () => {
        const kinds = await rows.evaluateAll((rows) => rows.map((row) => row.dataset.kind));
        assert.deepEqual(kinds, ["note", "line", "reply"]);
      });
    },
    { http: () => server.http },
  ),
);
