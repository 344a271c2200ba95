// What the server allows: the page keeps to its Content Security Policy, which is in force; and the page
// says why a session was ended.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { allRuns, answered, eventually, lane, of, ready, startServer, streamgram, tab, type } from "./streamgram.mjs";

const onPage = streamgram();

/** Loads the page again and returns a function for the directives that were violated since. */
async function watched(page) {
  await page.addInitScript(() => {
    window.violated = [];
    document.addEventListener("securitypolicyviolation", (event) =>
      window.violated.push(event.effectiveDirective),
    );
  });
  await page.reload();
  await ready(page);
  return () => page.evaluate(() => window.violated);
}

test(
  "the page keeps to its policy in all that it does",
  onPage(async ({ page, events }) => {
    const complaints = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    const violated = await watched(page);
    await type(page, "<img src=x onerror=alert(1)>");
    await page.getByRole("button", { name: "Burst 20" }).click();
    await answered(page, "TCP", 20);
    await answered(page, "UDP", 20);
    await page.getByLabel("TCP_NODELAY").uncheck();
    await page.getByRole("button", { name: "Line 3 lost", exact: true }).click();
    await eventually(() =>
      assert.equal(events.filter(({ type, path }) => type === "opened" && path === "emulated").length, 2),
    );
    await ready(page);
    await page.locator(".suited button").click();
    await page.locator(".prompt .primary").click();
    await page.locator(lane("UDP", ".row[data-status=lost]")).waitFor();
    await page.locator(".ladder-window").focus();
    await page.keyboard.press("Home");
    await page.locator(".link-adjust").click();
    for (const name of ["bytes", "code", "rows"]) await tab(page, name);
    await page.locator(".run-compare").first().click();
    await page.locator(".compare").waitFor();
    await page.locator(".compare").getByRole("button", { name: "Back" }).click();
    await tab(page, "export");
    for (const name of ["text", "SVG", "pcapng, client", "pcapng, gateway"]) {
      const saving = page.waitForEvent("download");
      await page.locator(".packet-export").getByRole("button", { name, exact: true }).click();
      await (await saving).path();
    }
    for (const area of ["plots", "lessons"]) {
      await page.locator(`.views a[href="#${area}"]`).click();
      await page.locator(`.main[data-view=${area}]`).waitFor();
    }
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    assert.ok(of(events, "packet", "tcp").length > 0);
    assert.deepEqual([await violated(), complaints], [[], []]);
  }),
);

/** What a script that got into the page could try, and the directive that forbids it. */
const FORBIDDEN = [
  ["markup from text", "require-trusted-types-for", () => (document.body.innerHTML += "<b>x</b>")],
  [
    "an inline script",
    "require-trusted-types-for",
    () => {
      const script = document.createElement("script");
      script.append("window.ran = true");
      document.body.append(script);
    },
  ],
  [
    "a way around Trusted Types",
    "trusted-types",
    () => trustedTypes.createPolicy("default", { createHTML: (text) => text }),
  ],
  [
    "another policy by the name of the page's own",
    "trusted-types",
    () => trustedTypes.createPolicy("sweep", { createHTML: (text) => text }),
  ],
  ["a script from elsewhere", "script-src-elem", () => import("http://127.0.0.1:9/")],
  ["a worker other than the sweep's", "require-trusted-types-for", () => new Worker("/worker.js")],
  ["an inline style", "style-src-elem", () => document.head.append(document.createElement("style"))],
  ["a request to elsewhere", "connect-src", () => fetch("http://127.0.0.1:9/")],
  ["a picture from elsewhere", "img-src", () => (new Image().src = "http://127.0.0.1:9/")],
  ["a base", "base-uri", () => (document.head.appendChild(document.createElement("base")).href = "/x/")],
];

for (const [what, directive, attempt] of FORBIDDEN) {
  test(
    `${what} is blocked and reported`,
    onPage(async ({ page }) => {
      const violated = await watched(page);
      await page.evaluate(attempt).catch(() => {});
      await eventually(async () => assert.deepEqual(await violated(), [directive]));
      assert.equal(await page.evaluate(() => window.ran), undefined);
      assert.equal(await page.locator("b", { hasText: /^x$/ }).count(), 0);
    }),
  );
}

let server;
before(async () => (server = await startServer(undefined, ["--messages-per-s=1"])));
after(() => server.stop());

test(
  "the page says why the server ended its session",
  onPage(
    async ({ page }) => {
      // Faster than a person: ten messages may come at once.
      await page.getByRole("button", { name: "empty datagram" }).evaluate((button) => {
        for (let click = 0; click < 20; click++) button.click();
      });
      const text = "The server ended the session: more than 1 messages a second.";
      const notice = page.locator(".notice", { hasText: text });
      await notice.waitFor();
      // It stays when the next session has begun, half a second later.
      await allRuns(page);
      await page.locator(lane("TCP", ".row-note"), { hasText: "gap:" }).waitFor();
      await page.getByRole("button", { name: "Open both sockets" }).click();
      await ready(page);
      assert.ok(await notice.isVisible());
    },
    { http: () => server.http },
  ),
);
