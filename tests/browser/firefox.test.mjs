// What people do first, in Firefox.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ask, bars, choose, go, here, lead, openRoom, run, vote } from "./rooms.mjs";
import { NO_FIREFOX, answered, eventually, finding, lane, launchFirefox, ready, startServer, streamgram, type, visitor } from "./streamgram.mjs";

describe("in Firefox", { skip: NO_FIREFOX }, () => {
  const onPage = streamgram(launchFirefox);
  let own;
  before(async () => (own = await startServer()));
  after(() => own.stop());

  const reads = (page, protocol) => page.locator(finding(protocol, "[data-row=reads] .strip-cell"));

  test(
    "a line is answered by both, and a burst of 20 stays 20 datagrams",
    onPage(async ({ page }) => {
      await type(page, "hello");
      for (const protocol of ["TCP", "UDP"]) await answered(page, protocol, 1);
      await page.locator(lane("TCP", ".row[data-kind=reply]"), { hasText: "] hello" }).waitFor();
      await page.getByRole("button", { name: "Burst 20" }).click();
      for (const protocol of ["TCP", "UDP"]) await answered(page, protocol, 20);
      await eventually(async () => assert.equal(await reads(page, "UDP").count(), 20));
      await page.locator(finding("UDP", ".finding-figures"), { hasText: "20 datagrams, 20 replies" }).waitFor();
    }),
  );

  test(
    "the preset that loses line 3 loses it over UDP only",
    onPage(async ({ page }) => {
      await page.getByRole("button", { name: "Line 3 lost", exact: true }).click();
      await page.locator(".suited button").click();
      await ready(page);
      await page.locator(".prompt button.primary").click();
      await page.locator(finding("UDP", ".finding-meaning"), { hasText: "No reply to line 3" }).waitFor();
      await answered(page, "TCP", 5);
      await page.locator(".ladder-label", { hasText: "lines 3–5 again" }).waitFor();
    }),
  );

  test(
    "a lesson is predicted, run and explained",
    onPage(async ({ page }) => {
      await page.locator(".views a").nth(1).click();
      await page.locator(".lessons-list a").first().click();
      await page.locator(".lesson-choice input").first().check();
      await page.locator(".lesson .primary").click();
      await page.locator(".lesson-outcome[data-right=true]").waitFor();
      await page.locator(".lesson-why").waitFor();
    }),
  );

  test(
    "a teacher leads, a student votes and runs, and both see the vote",
    onPage(async ({ page, server }) => {
      const { code } = await openRoom(page);
      const context = await visitor(page.context().browser());
      const student = await context.newPage();
      await student.goto(`http://${server.http}/#room=${code}`);
      await here(page, 1);
      await lead(page, 2);
      await ask(page, "predict");
      await go(student);
      await choose(student, 1);
      await vote(student, "counted");
      await run(student);
      await ask(page, "reveal");
      for (const shown of [page, student]) {
        await shown.locator(".pooled .votes").waitFor();
        const texts = (await bars(shown)).map(([bar]) => bar.text);
        assert.deepEqual(texts.map((text) => Number(/\d+/.exec(text)[0])), [0, 1, 0]);
      }
      await context.close();
    }),
  );

  test(
    "the page finds a server again that was away",
    onPage(
      async ({ page }) => {
        await own.stop();
        await page.locator(".header .badge[data-status=lost]").waitFor();
        own = await startServer(own.http);
        await page.getByRole("button", { name: "Open both sockets" }).click();
        await ready(page);
        await type(page, "after");
        await answered(page, "TCP", 1);
      },
      { http: () => own.http },
    ),
  );
});
