// Emulated paths: the link's controls, what is lost and sent again, and the ladder of packets.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answered, eventually, finding, lane, of, ready, streamgram, violations } from "./streamgram.mjs";

const onPage = streamgram();

/** Chooses a preset and waits for both legs over their new path. */
async function preset(page, events, name) {
  const opened = () => events.filter((event) => event.type === "opened" && event.path === "emulated");
  await page.getByRole("button", { name, exact: true }).click();
  await eventually(() => assert.equal(opened().length, 2));
  await ready(page);
}

/** Sends what the preset put into the prompt. */
async function send(page) {
  await page.getByRole("button", { name: "Send", exact: false }).first().click();
}

/** When the first packet of a capture was seen, in Unix milliseconds. */
function dated(capture) {
  // Section header and interface say how long they are; an enhanced packet's time stands behind its interface.
  const section = capture.readUInt32LE(4);
  const packet = capture.subarray(section + capture.readUInt32LE(section + 4));
  assert.equal(packet.readUInt32LE(0), 6);
  return (packet.readUInt32LE(12) * 2 ** 32 + packet.readUInt32LE(16)) / 1_000;
}

/** The ladder shows as many arrows as there were packets. */
async function drawn(page, events) {
  await eventually(async () => {
    const arrows = await page.locator(".ladder-window").getAttribute("data-arrows");
    assert.equal(Number(arrows), events.filter((event) => event.type === "packet").length);
  });
}

test(
  "with line 3 lost, TCP sends it again and answers all in order, UDP does not",
  onPage(async ({ page, events }) => {
    await preset(page, events, "Line 3 lost");
    await send(page);
    await answered(page, "TCP", 5);
    await page.locator(lane("UDP", ".row[data-status=lost]")).waitFor();

    const lines = (protocol) => of(events, "answered", protocol).map((event) => event.line);
    assert.deepEqual(lines("tcp"), [1, 2, 3, 4, 5]);
    assert.deepEqual(lines("udp"), [1, 2, 4, 5]);
    const carries = (protocol, number) =>
      of(events, "packet", protocol).filter(
        (packet) => packet.from === "client" && packet.line?.number === number,
      );
    assert.ok(carries("tcp", 3).length >= 2);
    assert.deepEqual(carries("tcp", 3).map((packet) => packet.verdict)[0], "lost_by_rule");
    assert.equal(carries("udp", 3).length, 1);

    await drawn(page, events);
    const arrows = (kind) => page.locator(`.ladder-arrow[data-kind=${kind}]`).count();
    await eventually(async () => {
      const again = events.filter((event) => event.type === "packet" && event.retransmission);
      assert.deepEqual([await arrows("lost"), await arrows("again")], [2, again.length]);
    });
    await page.locator(".ladder-held", { hasText: "lines 4–5 wait for line 3" }).waitFor();
    await page.locator(".verdict", { hasText: /1 sent again.*1 lost/s }).waitFor();
    // The strip knows which datagram the server never saw.
    const read = page.locator(finding("UDP", "[data-row=reads] .strip-cell"));
    await eventually(async () =>
      assert.deepEqual(await read.evaluateAll((cells) => cells.map((cell) => cell.dataset.kind)), [
        "whole",
        "whole",
        "lost",
        "whole",
        "whole",
      ]),
    );
  }),
);

test(
  "the arrow keys step through the packets, and each says what its header says",
  onPage(async ({ page, events }) => {
    await preset(page, events, "Perfect");
    await send(page);
    await answered(page, "UDP", 20);
    await drawn(page, events);
    await page.locator(".ladder-window").focus();
    await page.keyboard.press("Home");
    const said = page.locator(".ladder-packet");
    await said.getByText("[SYN] seq 0").waitFor();
    await page.keyboard.press("ArrowDown");
    await said.getByText("[SYN ACK] seq 0 ack 1").waitFor();
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowUp");
    const chosen = page.locator(".ladder-arrow[data-chosen=true]");
    await eventually(async () => assert.equal(await chosen.count(), 1));
  }),
);

test(
  "a knob is turned under way, and one out of its range leaves the link as it was",
  onPage(async ({ page, events }) => {
    await preset(page, events, "Perfect");
    const loss = page.getByLabel("loss in %");
    await loss.fill("101");
    await loss.press("Tab");
    await page.getByText("up.loss is 101, it must be 0 to 100").waitFor();
    const delay = page.getByLabel("delay in ms");
    await delay.fill("150");
    await delay.press("Tab");
    await page.locator(lane("UDP", ".row")).getByText("the link was changed").waitFor();
    await page.getByLabel("lines").fill("1");
    await send(page);
    await answered(page, "UDP", 1);
    assert.ok(of(events, "answered", "udp").at(-1).rtt_us >= 300_000);
  }),
);

test(
  "the ladder is copied as a picture, or saved where the clipboard is refused",
  onPage(async ({ page, events }) => {
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await preset(page, events, "Perfect");
    await page.getByRole("button", { name: "Copy picture" }).click();
    await page.getByRole("button", { name: "✓ copied" }).waitFor();
    const types = await page.evaluate(async () => (await navigator.clipboard.read())[0].types);
    assert.deepEqual(types, ["image/png"]);
    await page.evaluate(() => Object.defineProperty(navigator, "clipboard", {}));
    const saving = page.waitForEvent("download");
    await page.getByRole("button", { name: "✓ copied" }).first().click();
    assert.equal((await saving).suggestedFilename(), "streamgram-ladder.png");
  }),
);

test(
  "a phone shows one protocol's packets, and the other's are a tap away",
  onPage(
    async ({ page, events }) => {
      await preset(page, events, "Perfect");
      await send(page);
      await answered(page, "UDP", 20);
      const window = page.locator(".ladder-window");
      const inSight = (protocol) =>
        eventually(async () => {
          const [lane, around] = [await window.locator(`[data-protocol=${protocol}].ladder-lane`).boundingBox(), await window.boundingBox()];
          const right = around.x + around.width;
          assert.ok(lane.x >= around.x && lane.x + lane.width <= right + 1, `${lane.x} ${lane.width} ${right}`);
        });
      await inSight("TCP");
      await page.locator(".ladder-sides").getByRole("button", { name: "UDP" }).click();
      await inSight("UDP");
      await page.locator(".ladder-sides").getByRole("button", { name: "TCP" }).click();
      await inSight("TCP");
    },
    { viewport: { width: 390, height: 844 } },
  ),
);

test(
  "a capture can be saved, and the packets as text",
  onPage(async ({ page, events }) => {
    await preset(page, events, "Perfect");
    await send(page);
    await answered(page, "TCP", 20);
    await drawn(page, events);
    for (const [name, beginning] of [["pcapng, client", "\n\r\r\n"], ["text", "TCP · SYN"], ["SVG", "<svg"]]) {
      const saving = page.waitForEvent("download");
      await page.locator(".packet-export").getByRole("button", { name, exact: true }).click();
      const stream = await (await saving).createReadStream();
      let content = "";
      for await (const chunk of stream.setEncoding("latin1")) content += chunk;
      assert.ok(Buffer.from(content, "latin1").toString().startsWith(beginning), name);
      if (name === "pcapng, client") assert.ok(Math.abs(dated(Buffer.from(content, "latin1")) - Date.now()) < 60_000);
    }
  }),
);

test(
  "with the lab open axe finds nothing, and at 320 pixels nothing scrolls sideways",
  onPage(
    async ({ page, events }) => {
      await preset(page, events, "Line 3 lost");
      await page.getByText("Directions, rules, TCP, seed").click();
      await send(page);
      await answered(page, "TCP", 5);
      assert.deepEqual(await violations(page), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
    },
    { viewport: { width: 320, height: 700 } },
  ),
);

test(
  "five thousand packets are kept, and only those in sight are drawn",
  onPage(async ({ page, events }) => {
    await preset(page, events, "Perfect");
    await page.getByLabel("lines").fill("1000");
    await page.getByLabel("every").fill("1");
    await send(page);
    await page.waitForFunction(
      () => Number(document.querySelector(".ladder-window")?.dataset.arrows) > 4_000,
    );
    assert.ok((await page.locator(".ladder-arrow").count()) < 200);
  }),
);
