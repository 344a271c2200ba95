// What the page says of every preset and lesson, beside what the packets say: those are counted from their bytes
// and times by packets.mjs, the server's reads from its events.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { answered, bytes, duplicated, late, lines, lost, parsed, sentAgain, taken } from "./packets.mjs";
import { eventually, finding, of, ready, streamgram } from "./streamgram.mjs";

const number = (count) => count.toLocaleString("en-US");
const counted = (count, one, several = `${one}s`) => (count === 1 ? `1 ${one}` : `${number(count)} ${several}`);
const fromClient = ({ from }) => from === "client";
const payloads = (packets) => packets.filter(({ payload }) => payload.length > 0);

/** The events of the latest leg, and its packets in the order in which they were sent, as far as they were told. */
function latest(events, protocol) {
  const leg = of(events, "opened", protocol).at(-1).leg;
  const own = events.filter((event) => event.protocol === protocol && event.leg === leg);
  const packets = own.filter(({ type }) => ["packet", "captured"].includes(type)).sort((one, two) => one.at_us - two.at_us);
  return { events: own, packets: packets.map(parsed) };
}

/** From the first packet of a run on: what comes before opens the connection. */
function fromFirst(packets) {
  return packets.slice(packets.findIndex((packet) => fromClient(packet) && packet.payload.length > 0));
}

/** `line 3`, `lines 3, 7–9`, `12 lines`. */
function named(numbers) {
  if (numbers.length === 1) return `line ${numbers[0]}`;
  const begins = numbers.filter((it) => !numbers.includes(it - 1));
  const ends = numbers.filter((it) => !numbers.includes(it + 1));
  const runs = begins.map((begin, at) => (begin === ends[at] ? `${begin}` : `${begin}–${ends[at]}`));
  return runs.length > 5 ? counted(numbers.length, "line") : `lines ${runs.join(", ")}`;
}

/** What the verdict must say of TCP. */
function ofTcp({ events }) {
  const reads = events.filter(({ type }) => type === "server_read").length;
  return [`${counted(reads, "read")}, ${counted(reads, "reply", "replies")}`];
}

/** What the verdict must say of UDP, of so many lines. */
function ofUdp({ packets }, count) {
  const came = answered(packets);
  const missing = Array.from({ length: count }, (_, at) => at + 1).filter((line) => !came.includes(line));
  const took = taken(packets).length;
  const meaning =
    missing.length > 0
      ? `No reply to ${named(missing)};`
      : Math.max(took, came.length) > count
        ? "More datagrams or replies came than were sent"
        : packets.some(({ whole }) => !whole)
          ? "keeps 1,024 bytes"
          : "Every send arrived whole";
  return [
    `${counted(took, "datagram")}, ${counted(came.length, "reply", "replies")}`,
    meaning,
  ];
}

/** The figures of a run of so many lines on a leg, by their names: all but the times. */
function figuresOf({ events, packets }, protocol, count, isEmulated) {
  const told = events.filter(({ type }) => type === "answered").length;
  const replied = protocol === "udp" && isEmulated ? new Set(answered(packets)).size : told;
  const lines = { sent: count, answered: replied, "without reply": count - replied };
  if (packets.length === 0) return lines;
  if (protocol === "tcp") {
    const run = fromFirst(packets);
    const again = sentAgain(packets).filter((packet) => run.includes(packet));
    return { ...lines, segments: run.length, "sent again": again.length, "bytes on the wire": bytes(run) };
  }
  // What became of them on the way nobody knows.
  if (!isEmulated) return { ...lines, packets: packets.length, "bytes on the wire": bytes(packets) };
  return {
    ...lines,
    packets: packets.length,
    lost: lost(packets).length,
    duplicated: duplicated(packets).length,
    "out of order": late(packets).length,
    "bytes on the wire": bytes(packets),
  };
}

/** The figures that the page shows of a leg's run: those that are counted, and the times. */
async function shownFigures(page, protocol) {
  const all = await page.locator(finding(protocol.toUpperCase(), ".figures > div")).evaluateAll((all) =>
    all.map((it) => [it.querySelector("dt").textContent, it.querySelector("dd").textContent]),
  );
  const isTime = ([name]) => ["median", "slowest", "in the server, at most"].includes(name);
  const numbers = all.filter((it) => !isTime(it)).map(([name, text]) => [name, Number(text.replaceAll(",", ""))]);
  return { counts: Object.fromEntries(numbers), times: all.filter(isTime).map(([, text]) => text) };
}

/** A time as the page writes it tells so many microseconds; the last digit may be rounded. */
function tells(text, us) {
  const [, number, unit] = /^([\d.,]+) (ms|s)$/.exec(text) ?? [];
  const [, decimals = ""] = number.split(".");
  const scale = unit === "s" ? 1e6 : 1e3;
  assert.ok(Math.abs(Number(number.replaceAll(",", "")) - us / scale) <= 10 ** -decimals.length, `${text}: ${us} µs`);
}

/** Compares a run's figures with what was counted, and its times with those of the answers. */
async function agrees(page, leg, protocol, count, isEmulated) {
  const { counts, times } = await shownFigures(page, protocol);
  assert.deepEqual(counts, figuresOf(leg, protocol, count, isEmulated));
  const sorted = roundTrips(leg).sort((one, two) => one - two);
  const half = sorted.length / 2;
  tells(times[0], (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2);
  tells(times[1], sorted.at(-1));
  assert.equal(times.length, !isEmulated && leg.packets.length > 0 ? 3 : 2);
}

const handshake = (tcp) => tcp.packets.indexOf(fromFirst(tcp.packets)[0]);
const roundTrips = ({ events }) => events.filter(({ type }) => type === "answered").map(({ rtt_us }) => rtt_us);
const unacknowledging = (packets) => packets.filter(({ payload, syn, fin }) => !(payload.length || syn || fin));

/** What the words under a preset promise, of its packets. */
const PRESETS = {
  Perfect: {
    lines: 20,
    shows({ tcp, udp }) {
      assert.equal(handshake(tcp), 3);
      assert.deepEqual(lines(udp.packets[0]), [1]);
    },
  },
  "Wi-Fi": {
    lines: 20,
    shows({ tcp }) {
      assert.equal(roundTrips(tcp).length, 20);
    },
  },
  Satellite: {
    lines: 5,
    shows({ tcp, udp }) {
      const [syn, synAck] = tcp.packets;
      assert.ok(synAck.arrives_us - syn.at_us >= 600_000);
      // The handshake's round trip is in neither figure: each counts from the line's own sending.
      for (const { events } of [tcp, udp]) {
        for (const { line, rtt_us, at_us } of events.filter(({ type }) => type === "answered")) {
          const sent = events.find((event) => event.type === "sent" && event.line === line);
          assert.ok(rtt_us >= 600_000 && rtt_us <= at_us - sent.at_us + 1_000, `${rtt_us}`);
        }
      }
    },
  },
  Reordering: {
    lines: 20,
    shows({ tcp, udp }) {
      assert.ok(late(udp.packets).length > 0);
      const acks = unacknowledging(fromFirst(tcp.packets)).filter((it) => !fromClient(it)).map(({ ack }) => ack);
      assert.ok(acks.some((ack, at) => ack === acks[at - 1]), "a duplicate ACK");
      const order = tcp.events.filter(({ type }) => type === "answered").map(({ line }) => line);
      assert.deepEqual(order, order.toSorted((one, two) => one - two));
    },
  },
  Duplicates: {
    lines: 20,
    shows({ tcp, udp }) {
      assert.ok(taken(udp.packets).length > 20);
      const read = tcp.events.filter(({ type }) => type === "server_read").reduce((sum, it) => sum + it.bytes, 0);
      const sent = tcp.events.filter(({ type }) => type === "sent").reduce((sum, it) => sum + it.bytes, 0);
      assert.equal(read, sent);
    },
  },
  "Narrow with a deep queue": {
    lines: 40,
    shows({ tcp, udp }) {
      assert.deepEqual([...lost(tcp.packets), ...lost(udp.packets)], []);
      const waits = payloads(udp.packets).filter(fromClient).map(({ at_us, arrives_us }) => arrives_us - at_us);
      // How many depends on how evenly the lines come out of a busy machine.
      assert.ok(Math.max(...waits) > 1.5 * waits[0], `${waits}`);
    },
  },
  "Small MTU": {
    lines: 2,
    shows({ tcp, udp }) {
      assert.equal(lost(udp.packets).length, 1);
      assert.deepEqual(answered(udp.packets), [2]);
      assert.equal(sentAgain(tcp.packets).length, 1);
    },
  },
  "Line 3 lost": {
    lines: 5,
    async shows({ tcp, udp, page }) {
      const [gone] = lost(tcp.packets);
      assert.deepEqual(lines(gone), [3]);
      const [again] = sentAgain(tcp.packets);
      assert.deepEqual(lines(again), [3, 4, 5]);
      assert.ok(again.at_us - gone.at_us >= 1_000_000);
      assert.deepEqual(answered(udp.packets), [1, 2, 4, 5]);
      await page.locator(".ladder-label", { hasText: "lines 3–5 again" }).waitFor();
    },
  },
  "Three-second blackout": {
    lines: 20,
    shows({ tcp, udp }) {
      assert.equal(roundTrips(tcp).length, 20);
      const [first] = lost(tcp.packets).filter((packet) => fromClient(packet) && packet.payload.length > 0);
      const tries = payloads(tcp.packets).filter((it) => fromClient(it) && it.seq === first.seq).map((it) => it.at_us);
      const waits = tries.slice(1).map((time, at) => time - tries[at]);
      assert.ok(waits.length >= 2);
      waits.slice(1).forEach((wait, at) => assert.ok(Math.abs(wait / waits[at] - 2) < 0.1, `${waits}`));
      assert.ok(lost(udp.packets).every(({ verdict }) => verdict === "lost_in_black_out"));
      assert.ok(lost(udp.packets).length > 0);
    },
  },
};

/** The figures of a lesson by their names on the page, of one protocol. */
function figures({ events, packets }, protocol, isEmulated) {
  const all = (type) => events.filter((event) => event.type === type);
  const sum = (some) => some.reduce((sum, event) => sum + event.bytes, 0);
  const reads = all(protocol === "tcp" ? "server_read" : "server_datagram");
  const order = all("answered").map(({ line }) => line);
  const first = packets.findIndex(({ payload }) => payload.length > 0);
  const ofPackets = {
    "packets before the first with data": first,
    "packets with data to the server": payloads(packets).filter(fromClient).length,
    "packets in all": packets.length,
    "bytes on the wire": bytes(packets),
    "packets lost": lost(packets).length,
    "segments sent again": protocol === "tcp" ? sentAgain(packets).length : 0,
  };
  return {
    "lines sent": all("sent").length,
    "lines answered": isEmulated && protocol === "udp" ? new Set(answered(packets)).size : order.length,
    "lines answered after a later one": order.filter((line, at) => order.slice(0, at).some((it) => it > line)).length,
    "bytes of the lines": sum(all("sent")),
    "reads by the server": reads.length,
    "bytes read by the server": sum(reads),
    ...(isEmulated ? ofPackets : {}),
  };
}

// They wait most of the time: for what is lost.
describe("what the page says", { concurrency: 4 }, () => {
  const onPage = streamgram();

  for (const [name, { lines: count, shows }] of Object.entries(PRESETS)) {
    test(
      `of the preset ${name} the page says what its packets say`,
      onPage(async ({ page, events }) => {
        await page.getByRole("button", { name, exact: true }).click();
        await eventually(() => assert.ok(["tcp", "udp"].every((it) => of(events, "opened", it).at(-1)?.path === "emulated")));
        await ready(page);
        await page.locator(".suited", { hasText: `× ${count}` }).getByRole("button", { name: "Use it" }).click();
        await page.locator(".prompt button.primary").click();
        // Said once all is known.
        const whole = page.locator(".result-head [role=status]", { hasText: /\S/ });
        await whole.waitFor({ state: "attached" });
        await eventually(async () => {
          const [tcp, udp] = ["tcp", "udp"].map((protocol) => latest(events, protocol));
          const said = await page.locator(".finding").allTextContents();
          for (const [at, parts] of [ofTcp(tcp), ofUdp(udp, count)].entries()) {
            for (const part of parts) assert.ok(said[at].includes(part), `“${part}” is not in “${said[at]}”`);
          }
          await agrees(page, tcp, "tcp", count, true);
          await agrees(page, udp, "udp", count, true);
          await shows({ tcp, udp, page });
        }, 10_000);
      }),
    );
  }

  for (const id of ["connection", "records", "reliability", "order", "duplicates", "cost", "nodelay"]) {
    test(
      `the figures of the lesson ${id} are those of its packets`,
      onPage(async ({ page, events }) => {
        await page.evaluate((id) => (location.hash = `lesson=${id}`), id);
        await page.locator(".lesson-choice input").first().check();
        await page.locator(".lesson .primary").click();
        await page.locator(".lesson-outcome[data-right]").waitFor();
        // The last ACK may come after the last answer.
        await eventually(async () => {
          const shown = await page.locator(".lesson-figures > div").evaluateAll((all) =>
            all.map((it) => [it.querySelector("dt").textContent, Number(it.querySelector("dd").textContent.replace(/\D/g, ""))]),
          );
          assert.ok(shown.length > 0);
          for (const protocol of ["tcp", "udp"]) {
            const isEmulated = of(events, "opened", protocol).at(-1).path === "emulated";
            const leg = latest(events, protocol);
            const counts = figures(leg, protocol, isEmulated);
            for (const [name, value] of shown.filter(([name]) => name.startsWith(protocol.toUpperCase()))) {
              assert.equal(value, counts[name.slice(4)], `${name}: ${JSON.stringify(counts)}`);
            }
            const count = of(events, "sent", protocol).length;
            if (count > 0) await agrees(page, leg, protocol, count, isEmulated);
          }
        }, 10_000);
      }),
    );
  }
});
