// The plots: what they show is what was sent, what is saved is what they show, and a burst is repeated until it is
// done, cancelled, or cannot go on.

import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually, of, ready, socket, startServer, streamgram, violations } from "./streamgram.mjs";

const onPage = streamgram();
const RUNS = 50;

/** Goes to an area of the page. */
async function go(page, area) {
  await page.locator(`.views a[href="#${area}"]`).click();
  await page.locator(`.main[data-view=${area}]`).waitFor();
}

/** Goes to the plots, and returns one of them by its place: round trips, distribution, wire, reads. */
async function open(page) {
  await go(page, "plots");
  return (at) => page.locator(".plots .plots-figures > div").nth(at);
}

/** The cells of a plot's table, row by row, without the thousands' commas, once all samples are drawn. */
async function table(plot, all = () => true) {
  await plot.locator("details").evaluate((details) => (details.open = true));
  await plot.locator("table").waitFor();
  return await eventually(async () => {
    const rows = await plot.locator("tbody tr").evaluateAll((rows) =>
      rows.map((row) => [...row.children].map((cell) => cell.textContent.replaceAll(",", ""))),
    );
    assert.ok(all(rows), rows.join("\n"));
    return rows;
  });
}

/** The sum of a column of a table; an empty cell is nothing. */
const sum = (rows, column) => rows.reduce((sum, row) => sum + (Number(row[column]) || 0), 0);

/** What a button of a plot saves. */
async function saved(page, plot, name) {
  const saving = page.waitForEvent("download");
  await plot.getByRole("button", { name, exact: true }).click();
  const download = await saving;
  let content = "";
  for await (const chunk of (await download.createReadStream()).setEncoding("utf8")) content += chunk;
  return { file: download.suggestedFilename(), content };
}

/** The rows of a CSV under its first line. */
const cells = (csv) => csv.trimEnd().split("\n").slice(1).map((line) => line.split(","));

/** Waits until so many lines were answered over each of these protocols since the page was opened. */
const answered = (events, lines, protocols = ["tcp", "udp"]) =>
  eventually(() => assert.ok(protocols.every((protocol) => of(events, "answered", protocol).length >= lines)));

/** Sends a burst of 20 lines, and waits for its answers. */
async function burst(page, events) {
  const before = of(events, "answered", "tcp").length;
  await page.locator(".prompt-burst").click();
  await answered(events, before + 20);
}

/** Chooses an emulated path, where the sockets are in sight. */
async function emulated(page, events) {
  await go(page, "play");
  await page.getByRole("button", { name: "Perfect", exact: true }).click();
  const opened = () => events.filter(({ type, path }) => type === "opened" && path === "emulated");
  await eventually(() => assert.equal(opened().length, 2));
  await ready(page);
}

const repeat = (page) => page.locator(".plots-repeat button");
const said = (page) => page.locator(".plots-repeat [role=status]");

/** Opens the plots and repeats a burst that takes its time, so that something can come between. */
async function repeatSlowly(page, events) {
  const plot = await open(page);
  await page.getByLabel("lines").fill("2");
  await page.getByLabel("every").fill("400");
  await page.locator(".prompt .primary").click();
  await answered(events, 2);
  await repeat(page).click();
  await page.locator(".plots-repeat progress").waitFor();
  return plot;
}

test(
  "every round trip is in the plot, in its table, in the CSV and in the distribution",
  onPage(async ({ page, events }) => {
    const plot = await open(page);
    await burst(page, events);
    const trips = (rows, column) => rows.filter((row) => row[column] !== "–").length;
    await table(plot(0), (rows) => trips(rows, 1) === 20 && trips(rows, 2) === 20);
    const { file, content } = await saved(page, plot(0), "CSV");
    assert.equal(file, "streamgram-round-trips.csv");
    assert.ok(content.startsWith("after_us,tcp_rtt_us,udp_rtt_us\n"));
    for (const [column, protocol] of [[1, "tcp"], [2, "udp"]]) {
      const told = of(events, "answered", protocol).map((event) => event.rtt_us);
      const written = cells(content).map((row) => row[column]).filter((cell) => cell !== "");
      // A table is in the order of the times, and what is told is in the order in which it became known.
      const inOrder = (trips) => trips.toSorted((one, two) => one - two);
      assert.deepEqual(inOrder(written.map(Number)), inOrder(told));
      // A dot for each: a line of no length.
      const dots = page.locator(`.plot-picture > [data-style=${protocol}][viewBox] .plot-marks`).first();
      assert.equal((await dots.getAttribute("d")).split("M").length - 1, 20);
    }
    await table(plot(1), (rows) => sum(rows, 1) === 20 && sum(rows, 2) === 20);
  }),
);

test(
  "bytes on the wire are those of the packets, and on the direct path none are invented",
  onPage(async ({ page, events }) => {
    const plot = await open(page);
    await burst(page, events);
    await plot(2).getByText("are not counted here").waitFor();
    assert.equal(await plot(2).locator(".plot").count(), 0);
    await emulated(page, events);
    await go(page, "plots");
    await burst(page, events);
    // From the first that carries a line on: what comes before opens the connection.
    const packets = (protocol) => {
      const all = of(events, "packet", protocol);
      return all.slice(all.findIndex(({ line }) => line)).reduce((sum, { bytes }) => sum + bytes, 0);
    };
    const since = events.slice(events.findLastIndex(({ type }) => type === "opened"));
    const settled = async () => {
      const [[, tcp, udp], ...others] = await table(plot(2));
      assert.deepEqual(others, []);
      for (const [protocol, cell] of [["tcp", tcp], ["udp", udp]]) {
        const bytes = (type) => of(since, type, protocol).reduce((sum, event) => sum + event.bytes, 0);
        const ratio = packets(protocol) / (bytes("sent") + bytes("reply"));
        assert.equal(cell, (Math.floor(ratio * 100) / 100).toFixed(2), protocol);
      }
    };
    // The last ACK may come after the last answer.
    await eventually(settled);
    const { content } = await saved(page, plot(2), "CSV");
    const exact = cells(content)[0].slice(1).map((cell) => (Math.floor(Number(cell) * 100) / 100).toFixed(2));
    assert.deepEqual([exact], (await table(plot(2))).map((row) => row.slice(1)));
  }),
);

for (const path of ["direct", "emulated"]) {
  test(
    `a burst repeated 50 times has 50 in its table: ${path}`,
    onPage(async ({ page, events }) => {
      if (path === "emulated") await emulated(page, events);
      const plot = await open(page);
      await burst(page, events);
      await repeat(page).click();
      await said(page).getByText(`All ${RUNS} runs are done.`).waitFor();
      const rows = await table(plot(3));
      assert.equal(sum(rows, 1), RUNS);
      // Every burst of datagrams is as many as were sent.
      assert.deepEqual(rows.filter((row) => row[2] !== "0").map((row) => [row[0], row[2]]), [["20", String(RUNS)]]);
      const { content } = await saved(page, plot(3), "CSV");
      assert.deepEqual(cells(content), rows);
      for (const protocol of ["tcp", "udp"]) {
        assert.equal(of(events, "finished", protocol).length, RUNS + 1);
        // One after the other: a run's first line goes out after all of the run before was answered.
        const turns = events.filter((event) => event.protocol === protocol && /^(sent|answered)$/.test(event.type));
        assert.deepEqual(turns.filter(({ type, id }, at) => type === "sent" && turns[at - 1]?.id > id), []);
        const first = turns.findIndex(({ id }) => id === turns.at(-1).id);
        assert.ok(turns.slice(0, first).every(({ id }) => id < turns.at(-1).id));
      }
    }),
  );
}

test(
  "a repetition can be cancelled, and what has come stays",
  onPage(async ({ page, events }) => {
    const plot = await repeatSlowly(page, events);
    await eventually(async () => assert.equal(await page.locator(".plots-repeat progress").getAttribute("value"), "1"));
    await repeat(page).click();
    const cancelled = said(page).getByText(/^Cancelled after \d+ of 50 runs\./);
    // One, or more if the click took longer than a run does.
    const runs = Number((await cancelled.textContent()).match(/\d+/)[0]);
    assert.ok(runs >= 1 && runs < RUNS);
    assert.equal(sum(await table(plot(3)), 1), runs);
    // The run that was under way is stopped, and none follows it.
    await eventually(() => assert.ok(of(events, "finished", "tcp").length >= runs + 2));
    await answered(events, of(events, "sent", "tcp").length, ["tcp"]);
    assert.ok(of(events, "sent", "tcp").length <= 2 * (runs + 2));
  }),
);

test(
  "a leg that closes ends a repetition, which says so",
  onPage(async ({ page, events }) => {
    await repeatSlowly(page, events);
    // It goes on while another area is in sight.
    await go(page, "play");
    await page.locator(socket("TCP")).getByRole("button", { name: "close", exact: true }).click();
    await go(page, "plots");
    await said(page).getByText(/^Ended after \d+ of 50 runs\. Not sent: TCP is not open\.$/).waitFor();
  }),
);

let gone;
test(
  "a session that is lost ends a repetition, which says so",
  onPage(
    async ({ page, events }) => {
      await repeatSlowly(page, events);
      await gone.stop();
      await said(page).getByText(/^Ended after \d+ of 50 runs\. Not sent: the server is out of reach\.$/).waitFor();
    },
    { http: async () => (gone = await startServer()).http },
  ),
);

test(
  "another send ends a repetition, which says so",
  onPage(async ({ page, events }) => {
    await repeatSlowly(page, events);
    await page.locator(".prompt-burst").click();
    await said(page).getByText("another send came between").waitFor();
  }),
);

test(
  "a picture stands alone: well-formed, with its size, its title, its colours and every mark",
  onPage(async ({ page, events }) => {
    const plot = await open(page);
    await burst(page, events);
    const bins = await table(plot(1), (rows) => sum(rows, 1) === 20 && sum(rows, 2) === 20);
    const { file, content } = await saved(page, plot(1), "SVG");
    assert.equal(file, "streamgram-distribution.svg");
    const alone = await page.context().newPage();
    const picture = await alone.evaluate((content) => {
      const { documentElement: svg } = new DOMParser().parseFromString(content, "image/svg+xml");
      const bars = [...svg.querySelectorAll(":scope > svg[viewBox] .plot-marks")];
      return {
        name: svg.localName,
        size: ["width", "height", "viewBox"].map((name) => svg.getAttribute(name)),
        title: svg.querySelector("title")?.textContent,
        strokes: bars.map((bar) => bar.getAttribute("stroke")),
        bars: bars.map((bar) => bar.getAttribute("d").split("M").length - 1),
        styles: svg.querySelectorAll("style").length + (content.includes("var(") ? 1 : 0),
      };
    }, content);
    const filled = [1, 2].map((column) => bins.filter((row) => row[column] !== "0").length);
    assert.deepEqual(picture, {
      name: "svg",
      size: ["720", "240", "0 0 720 240"],
      title: "How the round trips are distributed",
      strokes: ["rgb(10, 92, 171)", "rgb(154, 71, 0)"],
      bars: filled,
      styles: 0,
    });
  }),
);

test(
  "the oldest samples go and are counted, and a table shows the newest",
  onPage(async ({ page, events }) => {
    const plot = await open(page);
    await page.getByLabel("lines").fill("1000");
    await page.locator(".targets [data-target=TCP]").click();
    await page.locator(".prompt .primary").click();
    await answered(events, 1_000, ["tcp"]);
    await page.locator(".prompt-burst").click();
    await answered(events, 1_020, ["tcp"]);
    await plot(0).getByText("20 older samples were removed.").waitFor();
    assert.equal((await table(plot(0))).length, 50);
    await plot(0).getByText("950 older rows are not shown").waitFor();
    const { content } = await saved(page, plot(0), "CSV");
    assert.equal(cells(content).length, 1_000);
  }),
);

test(
  "in Chinese the plots speak Chinese",
  onPage(
    async ({ page, events }) => {
      const plot = await open(page);
      await burst(page, events);
      await table(plot(1), (rows) => sum(rows, 2) === 20);
      const texts = await page.locator(".plots figcaption, .plots summary, .plots h2").allTextContents();
      assert.ok(texts.length > 4 && texts.every((text) => /\p{Script=Han}/u.test(text)), texts.join());
      assert.deepEqual(await violations(page, ".plots"), []);
    },
    { locale: "zh-CN" },
  ),
);

test(
  "with the system's own few colours TCP and UDP still differ by more than colour",
  onPage(
    async ({ page, events }) => {
      const plot = await open(page);
      await burst(page, events);
      await table(plot(1), (rows) => sum(rows, 1) === 20 && sum(rows, 2) === 20);
      const look = (style) =>
        plot(1)
          .locator(`[data-style=${style}][viewBox] .plot-marks`)
          .evaluate((marks) => [getComputedStyle(marks).fill, getComputedStyle(marks).stroke]);
      const [tcp, udp] = [await look("tcp"), await look("udp")];
      assert.notEqual(tcp[0], "none");
      assert.equal(udp[0], "none");
      assert.notEqual(udp[1], "none");
    },
    { forcedColors: "active" },
  ),
);
