// A line over both protocols, and what the strip and the verdict make of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answered, eventually, finding, lane, of, socket, streamgram, type } from "./streamgram.mjs";
import { figures } from "./transcript.mjs";

const onPage = streamgram();

const CTIME = String.raw`[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}`;

test(
  "a line that is typed is answered by both servers, and only TCP echoes it",
  onPage(async ({ page }) => {
    await type(page, "hello {n}");
    await answered(page, "TCP", 1);
    await answered(page, "UDP", 1);
    const reply = (protocol) =>
      page.locator(lane(protocol, ".row[data-kind=reply] .row-bytes")).first().textContent();
    assert.match(await reply("TCP"), new RegExp(String.raw`^\[${CTIME}\] hello 1$`));
    assert.match(await reply("UDP"), new RegExp(`^${CTIME}$`));
    await page.getByText("The UDP server answers every datagram with the time alone").waitFor({ state: "attached" });
  }),
);

test(
  "the strip and the verdict of a burst of 20 agree with the events",
  onPage(async ({ page, events }) => {
    await page.getByRole("button", { name: "Burst 20" }).click();
    await answered(page, "TCP", 20);
    await answered(page, "UDP", 20);
    const cells = (protocol, row) =>
      page.locator(finding(protocol, `[data-row=${row}] .strip-cell:not([data-kind=stamp])`)).count();
    const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;
    await eventually(async () => {
      const reads = of(events, "server_read", "tcp").length;
      const datagrams = of(events, "server_datagram", "udp").length;
      const replies = of(events, "answered", "udp").length;
      assert.equal(await cells("TCP", "sends"), 20);
      assert.equal(await cells("TCP", "reads"), reads);
      assert.equal(await cells("TCP", "replies"), of(events, "reply", "tcp").length);
      assert.equal(await cells("UDP", "sends"), 20);
      assert.equal(await cells("UDP", "reads"), datagrams);
      assert.equal(await cells("UDP", "replies"), replies);
      assert.equal(
        await page.locator(".result-head [role=status]").textContent(),
        `20 sends: TCP ${plural(reads, "read", "reads")}, ${plural(reads, "reply", "replies")}; ` +
          `UDP ${datagrams} datagrams, ${replies} replies`,
      );
    });
  }),
);

test(
  "a burst of more lines than there is room for labels is a few elements on the strip, and says how many",
  onPage(async ({ page }) => {
    const numbers = page.locator(".prompt input[type=number]");
    await numbers.nth(0).fill("60");
    await numbers.nth(1).fill("1");
    await page.locator(".prompt button.primary").click();
    await answered(page, "TCP", 60);
    await answered(page, "UDP", 60);
    const sends = page.locator(finding("UDP", "[data-row=sends] .strip-cell"));
    await eventually(async () => assert.equal(await sends.getAttribute("data-cells"), "60"));
    assert.match(await sends.locator("title").textContent(), / 1: .* … .* 60: /);
    const [cells, row] = await sends.evaluate((cells) =>
      [cells.querySelector("path"), cells.closest("svg.strip-row")].map((it) => it.getBoundingClientRect().width));
    assert.ok(Math.abs(cells - row) < 3, `${cells} of ${row}`);
  }),
);

test(
  "1,500 bytes of Chinese are two reads for TCP and one datagram that recv(1024) would cut",
  onPage(async ({ page, events }) => {
    await type(page, "时".repeat(500));
    await answered(page, "TCP", 1);
    await answered(page, "UDP", 1);
    const reads = of(events, "server_read", "tcp");
    assert.equal(reads.reduce((sum, read) => sum + read.bytes, 0), 1_500);
    assert.deepEqual(reads.map((read) => read.bytes), [1_024, 476]);
    const cells = page.locator(finding("TCP", "[data-row=reads] .strip-cell"));
    await eventually(async () => assert.equal(await cells.count(), 2));
    const cut = page.locator(finding("UDP", "[data-row=kept] .strip-cell[data-kind=cut] title"));
    assert.equal(await cut.textContent(), "recv(1024) would throw away 476 bytes");
    // The server itself has read all of it.
    const read = page.locator(finding("UDP", "[data-row=reads] .strip-cell"));
    assert.deepEqual(await read.evaluateAll((cells) => cells.map((cell) => cell.dataset.kind)), ["whole"]);
    await page.locator(finding("TCP", ".finding-meaning"), { hasText: "1,024 + 476" }).waitFor();
    await page.locator(finding("UDP", ".finding-meaning"), { hasText: "keeps 1,024" }).waitFor();
  }),
);

test(
  "an empty datagram goes out by its button and is answered",
  onPage(async ({ page, events }) => {
    await page.getByRole("button", { name: "empty datagram" }).click();
    await answered(page, "UDP", 1);
    assert.equal(of(events, "server_datagram", "udp")[0].bytes, 0);
  }),
);

test(
  "a burst of 1,000 on both legs is answered, and every row of it is there",
  onPage(async ({ page, events }) => {
    await page.getByLabel("lines").fill("1000");
    await page.getByRole("button", { name: /^Send/ }).click();
    await page.locator(".result-head [role=status]", { hasText: "1,000 sends" }).waitFor({ state: "attached" });
    await eventually(async () => {
      // Each leg's own row, one for each line, one for each reply.
      const told = (protocol) => of(events, "sent", protocol).length + of(events, "reply", protocol).length;
      const rows = 2 + told("tcp") + told("udp");
      assert.deepEqual(await figures(page), [rows, rows]);
    });
  }),
);

test(
  "a running burst can be stopped, and the page says where it stopped",
  onPage(async ({ page }) => {
    await page.getByLabel("lines").fill("100");
    await page.getByLabel("every").fill("1000");
    await page.getByRole("button", { name: /^Send/ }).click();
    await page.locator(socket("UDP")).getByRole("button", { name: "stop the burst" }).click();
    await page.locator(lane("UDP", ".row-note"), { hasText: /stopped after \d+ lines? of 100/ }).waitFor();
  }),
);
