// The prompt beyond a line of text: escapes, hex, endings, several lines, what this browser keeps.

import assert from "node:assert/strict";
import { test } from "node:test";

import { devices } from "playwright-core";

import { answered, eventually, finding, lane, named, of, ready, streamgram, tab } from "./streamgram.mjs";

const onPage = streamgram();

const chinese = { locale: "zh-CN", viewport: { width: 390, height: 800 } };

/** What stands behind “more”, open; by places, so in any language. */
async function more(page) {
  const more = page.locator(".prompt-more");
  await more.evaluate((more) => (more.open = true));
  const choice = (group, place) =>
    more.locator(".prompt-choice").nth(group).locator("button").nth(place);
  return {
    mode: (place) => choice(0, place).click(),
    ending: (place) => choice(1, place).click(),
    forget: () => more.locator("p button").click(),
    save: async (name) => {
      await more.locator(".saved-new input").fill(name);
      await more.locator(".saved-new button").click();
    },
    saved: more.locator(".saved-use"),
    remove: (place) => more.locator(".saved li > button:last-child").nth(place).click(),
    summary: more.locator("summary"),
  };
}

const prompt = (page) => page.locator(".prompt-text");

async function send(page, text) {
  await prompt(page).fill(text);
  await prompt(page).press("Enter");
}

/** Waits for the notice below the prompt; what it says. */
async function noticed(page, text) {
  const notice = page.locator(".notice");
  await eventually(async () => assert.match(await notice.textContent(), text));
}

/** What went over the page's WebSocket as sends. */
function recordSends(page) {
  const sends = [];
  page.on("websocket", (socket) =>
    socket.on("framesent", ({ payload }) => {
      const message = named(JSON.parse(payload));
      if (message.type === "send") sends.push(message);
    }),
  );
  return sends;
}

/** The texts of the items of a list that draws only those in sight, each once. */
function walked(list, items) {
  return list.evaluate(async (list, items) => {
    const texts = new Set();
    const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    for (let top = 0; top < list.scrollHeight; top += list.clientHeight / 2) {
      list.scrollTop = top;
      await drawn();
      for (const item of list.querySelectorAll(items)) texts.add(item.textContent);
    }
    return [...texts];
  }, items);
}

/** The page anew, with what it sends. */
async function again(page) {
  const sends = recordSends(page);
  await page.reload();
  await ready(page);
  return sends;
}

for (const [name, options] of [["English, 1440 pixels", { viewport: { width: 1440, height: 900 } }], ["Chinese, 390 pixels", chinese]]) {
  test(
    `escapes, hex and endings are the bytes that arrive, ${name}`,
    onPage(async ({ page, events }) => {
      const sends = await again(page);
      const { mode, ending, summary } = await more(page);
      await mode(1);
      await send(page, String.raw`a\n\x00{n}`);
      await send(page, String.raw`\xe4\xbd`);
      await ending(2);
      await send(page, String.raw`\\`);
      await mode(2);
      await ending(1);
      await send(page, "E4 BD a0");
      for (const protocol of ["tcp", "udp"]) {
        await eventually(() => assert.equal(of(events, "answered", protocol).length, 4));
      }
      const data = sends.map(({ text, hex }) => text ?? { hex });
      assert.deepEqual(data, ["a\n\0{n}", { hex: "e4bd" }, "\\\r\n", { hex: "e4bda00a" }]);
      const bytes = of(events, "server_datagram", "udp").slice(-4).map(({ bytes }) => bytes);
      assert.deepEqual(bytes, [4, 2, 3, 4]);
      // The last read of the stream ends with what was typed as hex.
      const replies = of(events, "reply", "tcp");
      assert.match(replies.at(-1).data.text, /你\n$/);
      assert.match(await summary.textContent(), /· LF$/);
    }, options),
  );

  test(
    `what is wrong is named with its place, and nothing goes out, ${name}`,
    onPage(async ({ page }) => {
      const sends = await again(page);
      const { mode } = await more(page);
      await mode(1);
      await send(page, String.raw`你好\q`);
      await noticed(page, /“\\q”.*3|3.*“\\q”/);
      await send(page, String.raw`\xff{n}`);
      await noticed(page, /\{n\}/);
      await mode(2);
      await send(page, "e4 xd");
      await noticed(page, /“x”.*4|4.*“x”/);
      await send(page, "e4\ne");
      await noticed(page, /^(Line 2|第 2 行)/);
      await send(page, "e4\n".repeat(17));
      await noticed(page, /17.*16/);
      assert.deepEqual(sends, []);
    }, options),
  );

  test(
    `several lines are a send each, in order, and the strip shows them all, ${name}`,
    onPage(async ({ page }) => {
      const sends = await again(page);
      await prompt(page).fill("one");
      await prompt(page).press("Shift+Enter");
      await prompt(page).pressSequentially("zwei");
      await prompt(page).press("Shift+Enter");
      await prompt(page).pressSequentially("三");
      assert.equal(await prompt(page).getAttribute("rows"), "3");
      assert.deepEqual(sends, []);
      await prompt(page).press("Enter");
      await answered(page, "TCP", 3);
      await answered(page, "UDP", 3);
      assert.deepEqual(sends.map(({ text }) => text), ["one", "zwei", "三"]);
      for (const protocol of ["TCP", "UDP"]) {
        const cells = page.locator(finding(protocol, "[data-row=sends] .strip-cell title"));
        await eventually(async () => assert.equal(await cells.count(), 3));
        assert.match((await cells.allTextContents()).join(), /1.*3.*2.*4.*3.*3/s);
      }
      await page.locator(".result-asked", { hasText: "3" }).waitFor();
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.equal(wide, options.viewport.width);
    }, options),
  );

  test(
    `Send says what it will do, and all of that is numbered through in rows, strip and ladder, ${name}`,
    onPage(async ({ page }) => {
      const send = page.locator(".prompt button.primary");
      const says = (amount) =>
        eventually(async () => assert.match(await send.innerText(), new RegExp(`^(Send|发送)${amount} ⏎$`)));
      const lines = page.locator(".prompt-options input").first();
      await says("");
      await lines.fill("20");
      await says(" 20");
      await lines.fill("5");
      await prompt(page).fill("one {n}\nzwei {n}\n三 {n}");
      await says(" 3 × 5");
      await page.locator(".link-presets button").nth(1).click();
      await page.locator(".suited").waitFor();
      await ready(page);
      await send.click();
      for (const protocol of ["TCP", "UDP"]) await answered(page, protocol, 15);

      const all = Array.from({ length: 15 }, (_, at) => at + 1);
      for (const protocol of ["TCP", "UDP"]) {
        const rows = await walked(page.locator(lane(protocol, ".rows")), ".row[data-kind=line]");
        const told = rows.map((row) => row.match(/→ \d+(one|zwei|三) [1-5]/)[0]);
        const expected = ["one", "zwei", "三"].flatMap((word, send) =>
          [1, 2, 3, 4, 5].map((line) => `→ ${send * 5 + line}${word} ${line}`));
        assert.deepEqual(told.sort(), expected.sort());
        const cells = page.locator(finding(protocol, "[data-row=sends] .strip-cell text"));
        const labels = (await cells.allTextContents()).map(Number);
        assert.deepEqual(labels.sort((one, other) => one - other), all);
      }
      if (options.viewport.width < 900) await tab(page, "ladder");
      // Datagrams carry a line each, and so do their replies.
      const labels = await walked(page.locator(".ladder-window"), "[data-protocol=UDP] .ladder-label");
      const numbers = labels.map((label) => Number(label.match(/\d+/)[0]));
      assert.equal(labels.length, 30, String(labels));
      for (const number of all) assert.equal(numbers.filter((it) => it === number).length, 2, String(labels));
    }, options),
  );

  test(
    `what suits a preset is offered, used by a click and undone by another, ${name}`,
    onPage(async ({ page }) => {
      const sends = await again(page);
      const fields = page.locator(".prompt-text, .prompt-options > label input");
      const stands = (...expected) =>
        eventually(async () => assert.deepEqual(await fields.evaluateAll((all) => all.map((it) => it.value)), expected));
      await page.locator("[data-target=UDP]").click();
      for (const [at, value] of ["mine {n}", "7", "3"].entries()) await fields.nth(at).fill(value);
      const [preset, suited] = [page.locator(".link-presets button"), page.locator(".suited")];
      await preset.nth(8).click();
      await suited.getByText("line {n} × 5").waitFor();
      await ready(page);
      await stands("mine {n}", "7", "3");
      await suited.locator("button").click();
      await stands("line {n}", "5", "20");
      assert.equal(await page.locator("[data-target=UDP]").getAttribute("aria-pressed"), "true");
      await suited.locator("button").click();
      await stands("mine {n}", "7", "3");
      assert.equal(await suited.count(), 0);
      // A line of 1,500 bytes is offered by its head.
      await preset.nth(7).click();
      await suited.getByText("x… × 2").waitFor();
      await ready(page);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), options.viewport.width);
      assert.deepEqual(sends, []);
    }, options),
  );

  test(
    `what was sent is recalled by the next page, until it is forgotten, ${name}`,
    onPage(async ({ page }) => {
      const { mode } = await more(page);
      await send(page, "first");
      await mode(2);
      await send(page, "41 42");
      await send(page, "a line\nand another");
      await noticed(page, /./);
      await again(page);
      await prompt(page).fill("draft");
      const shows = (text) => eventually(async () => assert.equal(await prompt(page).inputValue(), text));
      await prompt(page).press("ArrowUp");
      await shows("41 42");
      await page.locator(".prompt-more summary b").waitFor();
      await prompt(page).press("ArrowUp");
      await shows("first");
      await page.locator(".prompt-more summary b").waitFor({ state: "detached" });
      await prompt(page).press("Escape");
      await shows("draft");
      const { forget } = await more(page);
      await forget();
      await page.locator(".prompt-more [role=status]", { hasText: /./ }).waitFor();
      await prompt(page).press("ArrowUp");
      await shows("draft");
      await again(page);
      await prompt(page).press("ArrowUp");
      await shows("hello {n}");
      assert.equal(await page.evaluate(() => localStorage["streamgram.sent"]), "[]");
    }, options),
  );

  test(
    `a line is saved with all that was chosen, used and deleted, ${name}`,
    onPage(async ({ page }) => {
      const { mode, ending, save } = await more(page);
      await mode(1);
      await ending(1);
      await page.locator("[data-target=UDP]").click();
      await page.locator(".prompt-options input").first().fill("3");
      await prompt(page).fill(String.raw`\x41 {n}`);
      await save("three of them");
      await prompt(page).fill("as itself");
      await save("");
      const sends = await again(page);
      const after = await more(page);
      await eventually(async () => assert.equal(await after.saved.count(), 2));
      await after.saved.first().focus();
      await page.keyboard.press("Enter");
      // The focus is in the prompt: Enter sends.
      await page.keyboard.press("Enter");
      await eventually(async () => assert.equal(sends.length, 1));
      const { to, text, count } = sends[0];
      assert.deepEqual({ to, text, count }, { to: "udp", text: "A {n}\n", count: 3 });
      await after.remove(0);
      await eventually(async () => assert.match((await after.saved.allTextContents()).join(), /^\s*as itself$/));
    }, options),
  );
}

for (const [name, focused, options] of [
  ["has the focus on loading where there is a mouse", true, { viewport: { width: 1440, height: 900 } }],
  ["leaves a touch screen's keyboard away", false, { ...devices["Pixel 7"], defaultBrowserType: undefined }],
]) {
  test(
    `the prompt ${name}`,
    onPage(async ({ page }) => {
      const sends = await again(page);
      assert.equal(await prompt(page).evaluate((prompt) => document.activeElement === prompt), focused);
      await page.keyboard.press("Enter");
      if (focused) await eventually(() => assert.equal(sends.length, 1));
      else assert.deepEqual(sends, []);
    }, options),
  );
}

test(
  "Enter that ends an input method's word does not send, and arrows walk through several lines first",
  onPage(async ({ page }) => {
    const sends = await again(page);
    await send(page, "older");
    await answered(page, "TCP", 1);
    await prompt(page).fill("up\ndown");
    await prompt(page).dispatchEvent("keydown", { key: "Enter", isComposing: true });
    await prompt(page).dispatchEvent("keydown", { key: "Enter", keyCode: 229 });
    const { save, saved } = await more(page);
    for (const of of [{ isComposing: true }, { keyCode: 229 }]) {
      await page.locator(".saved-new input").dispatchEvent("keydown", { key: "Enter", ...of });
    }
    // The one that was meant is the only one that is there after it.
    await save("meant");
    await eventually(async () => assert.equal(await saved.count(), 1));
    await prompt(page).press("ArrowUp");
    assert.equal(await prompt(page).inputValue(), "up\ndown");
    await prompt(page).press("ArrowUp");
    await eventually(async () => assert.equal(await prompt(page).inputValue(), "older"));
    assert.equal(sends.length, 1);
  }),
);

test(
  "two pages of a browser add to what is kept, and neither moves the other",
  onPage(async ({ page }) => {
    const other = await page.context().newPage();
    await other.goto(page.url());
    await ready(other);
    await send(page, "of the one");
    await answered(page, "TCP", 1);
    await send(other, "of the other");
    await answered(other, "TCP", 1);
    await other.locator(".prompt-more").evaluate((more) => (more.open = true));
    for (const [of, name] of [[page, "one"], [other, "two"]]) await (await more(of)).save(name);
    await prompt(page).press("ArrowUp");
    await eventually(async () => assert.equal(await prompt(page).inputValue(), "of the one"));
    await again(page);
    const { saved } = await more(page);
    await eventually(async () => assert.equal(await saved.count(), 2));
    await prompt(page).press("ArrowUp");
    await prompt(page).press("ArrowUp");
    await eventually(async () => assert.equal(await prompt(page).inputValue(), "of the one"));
  }),
);

test(
  "without storage the page keeps lines as long as it is open",
  onPage(async ({ page }) => {
    await page.addInitScript(() => {
      const refuse = () => {
        throw new DOMException("refused", "SecurityError");
      };
      Object.defineProperty(window, "localStorage", { get: refuse });
    });
    await again(page);
    await send(page, "kept");
    await answered(page, "TCP", 1);
    const { save, saved } = await more(page);
    await save("a name");
    await eventually(async () => assert.equal(await saved.count(), 1));
    await prompt(page).fill("draft");
    await prompt(page).press("ArrowUp");
    await eventually(async () => assert.equal(await prompt(page).inputValue(), "kept"));
  }),
);

test(
  "what somebody wrote into the storage is clamped, and does nothing",
  onPage(async ({ page }) => {
    await page.evaluate(() => {
      const hostile = "<img src=x onerror=document.title='owned'>";
      const line = (text) => ({ text, mode: "text", ending: "none", to: "both", count: "1", interval_ms: "0" });
      const saved = (text, name = "") => ({ name, draft: line(text) });
      const wrong = [{}, "\0", null, { name: "", draft: { ...line("xml"), mode: "xml" } }, saved("x".repeat(5_000)), saved(255)];
      const lines = [...wrong, saved(hostile, `\u202e${hostile}`.repeat(9)), ...Array(99).fill(saved("good"))];
      localStorage["streamgram.saved"] = JSON.stringify(lines);
      localStorage["streamgram.sent"] = JSON.stringify([...Array(1_000).fill("\u{10ffff}"), line("sent")]);
      localStorage["streamgram.lessons"] = "{ no JSON";
    });
    await again(page);
    const { saved } = await more(page);
    await eventually(async () => assert.equal(await saved.count(), 50));
    const first = await saved.first().textContent();
    assert.ok(!first.includes("\u202e") && first.length < 120, first);
    assert.equal(await page.locator(".saved img").count(), 0);
    assert.equal(await page.title(), "Streamgram");
    await prompt(page).press("ArrowUp");
    await eventually(async () => assert.equal(await prompt(page).inputValue(), "sent"));
  }),
);
