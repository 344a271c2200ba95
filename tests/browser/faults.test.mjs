// Servers whose replies go wrong on purpose: what the page shows of them, and its own legs to them.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";

import {
  allRuns,
  answered,
  eventually,
  lane,
  of,
  ready,
  socket,
  startServer,
  streamgram,
  tab,
  type,
  violations,
} from "./streamgram.mjs";

const RECIPE = "split=1..5;seed=7";
const onPage = streamgram();

let server;
before(async () => {
  const flags = ["--fault-tcp", `127.0.0.1:0;${RECIPE}`, "--fault-udp", "127.0.0.1:0;drop=100"];
  server = await startServer("127.0.0.1:0", flags);
});
after(() => server.stop());
const ours = { http: () => server.http };
const faulty = () => server.faults.find(({ protocol }) => protocol === "tcp").address;

/** Says a line to the faulty server and reads until the whole reply is there. */
async function says(text) {
  const [host, port] = faulty().split(":");
  const client = connect(Number(port), host);
  await once(client, "connect");
  client.write(text);
  let reply = "";
  for await (const chunk of client) {
    reply += chunk;
    if (reply.length >= 27 + text.length) break;
  }
  client.destroy();
  return reply;
}

test(
  "an external client's result says the recipe, and what was done to which bytes",
  onPage(async ({ page }) => {
    assert.match(await says("hello"), /^\[.{24}\] hello$/);
    await page.locator(".client-line", { hasText: "TCP" }).first().click();
    const deeds = page.locator(".client-deeds");
    await deeds.getByText(RECIPE).waitFor();
    await deeds.getByText(faulty()).waitFor();
    await eventually(async () => {
      assert.match(await deeds.locator("li").first().innerText(), /bytes 0–31 written in pieces of [1-5](, [1-5])+ bytes/);
    });
    assert.deepEqual(await violations(page, ".client-result"), []);
  }, ours),
);

test(
  "the flag of a faulty server can be copied",
  onPage(
    async ({ page }) => {
      const flags = page.locator(".faulty li");
      assert.equal(await flags.count(), 2);
      await flags.first().getByRole("button").click();
      await flags.first().getByText("copied").waitFor();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      assert.equal(copied, `--fault-tcp '${faulty()};${RECIPE}'`);
      assert.deepEqual(await violations(page, ".side"), []);
    },
    { ...ours, permissions: ["clipboard-read", "clipboard-write"] },
  ),
);

test(
  "a leg goes to the server that is chosen, says what that did, and a scenario gets the ordinary one",
  onPage(async ({ page, events }) => {
    const choice = page.locator(socket("TCP", "select"));
    const choose = async (label, address) => {
      await choice.selectOption({ label });
      await page.locator(socket("TCP", ".socket-addresses"), { hasText: address }).waitFor();
      await ready(page);
    };
    const ordinary = "ordinary server";
    // An option that a person has picked before shows what it should too.
    await choose(`faulty: ${RECIPE}`, `→ ${faulty()}`);
    await choose(ordinary, `→ ${server.tcp}`);
    await choose(`faulty: ${RECIPE}`, `→ ${faulty()}`);
    await type(page, "hello");
    await answered(page, "TCP", 1);
    await tab(page, "rows");
    await allRuns(page);
    // The latest rows are in sight.
    await page.locator(lane("TCP"), { hasText: /(byte 31|bytes (2[789]|30)–31) written at once/ }).waitFor();
    const done = of(events, "fault", "tcp").map(({ wrote }) => wrote);
    assert.equal(done.reduce((end, { offset, bytes }) => (assert.equal(offset, end), end + bytes), 0), 32);
    await page.evaluate(() => (location.hash = "v1&text=over%20there&to=tcp"));
    await page.locator(".offer-answers button").first().click();
    await page.locator(socket("TCP", ".socket-addresses"), { hasText: `→ ${server.tcp}` }).waitFor();
    await eventually(async () => {
      assert.equal(await choice.evaluate((select) => select.selectedOptions[0].text), ordinary);
    });
  }, ours),
);
