// Emulated paths: the link's controls, what is lost and sent again, and the ladder of packets.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answered, eventually, finding, lane, of, ready, streamgram, tab, violations } from "./streamgram.mjs";

const onPage = streamgram();

/** Chooses a preset, waits for both legs over their new path, and takes the send that suits it. */
async function preset(page, events, name) {
  const opened = () => events.filter((event) => event.type === "opened" && event.path === "emulated");
  await page.getByRole("button", { name, exact: true }).click();
  await eventually(() => assert.equal(opened().length, 2));
  await ready(page);
  await page.locator(".suited").getByRole("button", { name: "Use it" }).click();
}

const send = (page) => page.locator(".prompt .primary").click();

/** How many lines go out. */
const lines = (page, count) => page.locator(".prompt input[type=number]").first().fill(String(count));

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
    await page.locator(finding("TCP", ".figures"), { hasText: /sent again1/ }).waitFor();
    await page.locator(finding("UDP", ".figures"), { hasText: /lost1/ }).waitFor();
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

/** A label that covers a line among others, `replies 1–2`, as one of that line alone: a busy server reads two at once. */
function alone(label, number) {
  const [, first, last = first] = /(\d+)(?:–(\d+))?/.exec(label);
  assert.ok(first <= number && number <= last, `${label} is pointed at for line ${number}`);
  return `${label.startsWith("line") ? "line" : "reply"} ${number}`;
}

/** What is marked of a protocol as pointed at: in the strip's first row, in the rows of lines, in the ladder. */
async function pointed(page, protocol) {
  const mark = "[data-pointed=true]";
  const parts = [
    finding(protocol, `[data-row=sends] .strip-cell${mark} text`),
    lane(protocol, `.row[data-kind=line]${mark} .row-arrow`),
    `.ladder-arrow[data-protocol=${protocol}]${mark} .ladder-label`,
  ];
  const [sends, rows, packets] = await Promise.all(parts.map((part) => page.locator(part).allTextContents()));
  return [sends, rows, packets.map((label) => alone(label, Number(sends[0])))];
}

test(
  "a line that is pointed at anywhere is marked in strip, rows and ladder, by mouse and by keys",
  onPage(async ({ page, events }) => {
    await preset(page, events, "Line 3 lost");
    await send(page);
    await page.locator(lane("UDP", ".row[data-status=lost]")).waitFor();
    await drawn(page, events);
    const nothing = [[], [], []];
    const marks = (number) => [[`${number}`], [`→ ${number}`], [`line ${number}`, `reply ${number}`]];
    const marked = (protocol, expected) =>
      eventually(async () => {
        const other = { TCP: "UDP", UDP: "TCP" }[protocol];
        assert.deepEqual([await pointed(page, protocol), await pointed(page, other)], [expected, nothing]);
      }, 5_000);
    const away = () => page.locator(".logo").hover();

    await page.locator(finding("TCP", "[data-row=sends] .strip-cell")).nth(1).hover();
    await marked("TCP", marks(2));
    await away();
    await marked("TCP", nothing);
    await page.locator(lane("UDP", ".row[data-kind=line]")).first().hover();
    await marked("UDP", marks(1));
    await away();
    await page.locator(".ladder-arrow[data-protocol=UDP] .ladder-label", { hasText: /^line 3$/ }).hover();
    await marked("UDP", [["3"], ["→ 3"], ["line 3"]]);
    await away();
    await marked("UDP", nothing);

    const strip = page.locator(finding("TCP", ".strip"));
    await strip.focus();
    for (const number of [1, 2]) {
      await page.keyboard.press("ArrowRight");
      await marked("TCP", marks(number));
      // Who cannot see the marks is told of the line.
      await strip.getByRole("status").getByText(`line ${number}:`).waitFor({ state: "attached" });
    }
    await page.keyboard.press("Escape");
    await marked("TCP", nothing);
    await page.locator(".ladder-window").focus();
    // What was chosen by the pointer is given up; line 1 stands behind SYN, SYN ACK and ACK.
    for (const key of ["Escape", "Home", "ArrowDown", "ArrowDown", "ArrowDown"]) await page.keyboard.press(key);
    await marked("TCP", marks(1));
    await page.keyboard.press("ArrowRight");
    await marked("UDP", marks(1));
    await page.keyboard.press("Escape");
    await marked("UDP", nothing);
    await page.locator(lane("TCP", ".rows")).focus();
    // Behind the note that it is connected.
    for (const key of ["Home", "ArrowDown"]) await page.keyboard.press(key);
    await marked("TCP", marks(1));
  }),
);

test(
  "a knob is turned under way, and one out of its range leaves the link as it was",
  onPage(async ({ page, events }) => {
    await preset(page, events, "Perfect");
    await page.locator(".link-adjust").click();
    const loss = page.getByLabel("loss in %");
    await loss.fill("101");
    await loss.press("Tab");
    await page.locator(".notice", { hasText: "up.loss is 101, it must be 0 to 100" }).waitFor();
    const delay = page.getByLabel("delay in ms");
    await delay.fill("150");
    await delay.press("Tab");
    await page.locator(lane("UDP", ".row")).getByText("the link was changed").waitFor();
    await lines(page, 1);
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
    await send(page);
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
      await tab(page, "ladder");
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
    await tab(page, "export");
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
  "with knobs and ladder in sight axe finds nothing, and at 320 pixels nothing scrolls sideways",
  onPage(
    async ({ page, events }) => {
      await preset(page, events, "Line 3 lost");
      await page.locator(".link-adjust").click();
      await send(page);
      await answered(page, "TCP", 5);
      await tab(page, "ladder");
      await page.locator(".ladder-window").waitFor();
      assert.deepEqual(await violations(page), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320);
    },
    { viewport: { width: 320, height: 700 } },
  ),
);

test(
  "thousands of packets are kept, and only those in sight are drawn",
  onPage(async ({ page, events }) => {
    await preset(page, events, "Perfect");
    await lines(page, 1_000);
    await page.getByLabel("every").fill("1");
    await send(page);
    // Two for each datagram, and hardly fewer for TCP: lines that go out together share a segment.
    await page.waitForFunction(
      () => Number(document.querySelector(".ladder-window")?.dataset.arrows) > 3_500,
    );
    assert.ok((await page.locator(".ladder-arrow").count()) < 200);
  }),
);
