// Links that carry a scenario: made on one page, opened on another, shown before anything is sent; hostile
// ones stay text. The QR code, and large type for a projector.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import jsqr from "jsqr";

import { answered, eventually, finding, lane, launch, named, ready, startServer, violations, visitor } from "./streamgram.mjs";

const VISITORS = [
  { name: "English, 1440 pixels", locale: "en-US", viewport: { width: 1440, height: 900 } },
  { name: "Chinese, 390 pixels", locale: "zh-CN", viewport: { width: 390, height: 844 } },
];
const LESSON = "#v1&text=line%20%7Bn%7D&to=both&count=5&every=20&path=emulated&delay=25&rule=lose_line:3";
/** Bytes above the longest fragment that is read. */
const MEBIBYTE = 1024 * 1024;

let server, lan, browser;
before(async () => {
  server = await startServer();
  lan = await startServer("0.0.0.0:0");
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await Promise.all([server, lan].map((it) => it?.stop()));
});

/** A page at an address, with what it sends, what it asks for elsewhere, and what its policy stopped. */
async function visit(options, fragment = "", http = server.http) {
  const context = await visitor(browser, options);
  const page = await context.newPage();
  const [sent, elsewhere, errors] = [[], [], []];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("dialog", (dialog) => errors.push(dialog.message()));
  page.on("request", (request) => {
    if (new URL(request.url()).host !== new URL(`http://${http}`).host) elsewhere.push(request.url());
  });
  page.on("websocket", (socket) => {
    socket.on("framesent", ({ payload }) => sent.push(named(JSON.parse(payload))));
  });
  await page.addInitScript(() => {
    window.violated = [];
    document.addEventListener("securitypolicyviolation", (event) => window.violated.push(event.effectiveDirective));
  });
  await page.goto(`http://${http}/${fragment}`);
  await ready(page);
  const harmless = async () => {
    const violated = await page.evaluate(() => window.violated);
    assert.deepEqual([violated, elsewhere, errors], [[], [], []]);
    await context.close();
  };
  return { page, context, sent, harmless };
}

/** What the page sent beyond what every page does at its start. */
function beyondTheStart(sent) {
  const isStart = ({ type, path }) => type === "watch" || (type === "open" && path === "direct");
  return sent.filter((message) => !isStart(message));
}

/** Opens the dialog that makes a link, and returns the link. */
async function share(page) {
  await page.locator(".share-open").click();
  await page.locator(".share[open]").waitFor();
  return page.locator(".share-link input").inputValue();
}

for (const { name, ...options } of VISITORS) {
  test(`a scenario goes round through the link that was copied: ${name}`, async () => {
    const teacher = await visit({ ...options, permissions: ["clipboard-read", "clipboard-write"] });
    await teacher.page.locator(".link-presets button").nth(8).click();
    await ready(teacher.page);
    await teacher.page.locator(".suited button").click();
    await teacher.page.locator(".prompt-text").fill("你好 {n} & <b>100%</b> #+");
    await teacher.page.locator(".targets [data-target=UDP]").click();
    const shown = await share(teacher.page);
    await teacher.page.locator(".share-view input").check();
    await teacher.page.locator(".share-link button").click();
    await teacher.page.locator(".share-copied", { hasText: /\S/ }).waitFor();
    const link = await teacher.page.evaluate(() => navigator.clipboard.readText());
    assert.equal(link, `${shown}&view=large`);
    await teacher.harmless();

    const student = await visit(options, new URL(link).hash);
    const { page, sent } = student;
    await page.locator(".offer", { hasText: "你好 {n} & <b>100%</b> #+" }).waitFor();
    await page.locator(".offer", { hasText: "MTU" }).waitFor({ state: "detached" });
    assert.equal(await page.locator(".offer b").count(), 0);
    assert.deepEqual(beyondTheStart(sent), []);
    assert.notEqual(await page.locator(".prompt-text").inputValue(), "你好 {n} & <b>100%</b> #+");

    await page.locator(".offer .primary").click();
    await eventually(() => assert.equal(sent.at(-1).type, "send"));
    const { id, ...send } = sent.at(-1);
    assert.deepEqual(send, {
      type: "send",
      to: "udp",
      text: "你好 {n} & <b>100%</b> #+",
      count: 5,
      interval_ms: send.interval_ms,
    });
    const opened = sent.filter(({ type, path }) => type === "open" && path === "emulated");
    assert.deepEqual(opened.map(({ link }) => link.rules), Array(2).fill([{ lose_line: { line: 3 } }]));
    await page.locator(":root[data-view=large]").waitFor();
    assert.equal(await page.locator(".offer").count(), 0);
    await page.reload();
    await page.locator(".offer").waitFor();
    await student.harmless();
  });

  test(`a link is only filled in, or dismissed: ${name}`, async () => {
    const { page, sent, harmless } = await visit(options, "#v1&text=over%20there&count=3&to=tcp");
    await page.locator(".offer-answers button").nth(1).click();
    await eventually(async () => assert.equal(await page.locator(".prompt-text").inputValue(), "over there"));
    await page.evaluate((lesson) => (location.hash = lesson), LESSON);
    await page.locator(".offer", { hasText: "line {n}" }).waitFor();
    await page.locator(".offer-answers button").last().click();
    await page.locator(".offer").waitFor({ state: "detached" });
    assert.deepEqual(beyondTheStart(sent), []);
    assert.equal(new URL(page.url()).hash, "");
    await page.reload();
    await ready(page);
    assert.equal(await page.locator(".offer").count(), 0);
    await harmless();
  });

  test(`axe finds nothing in the offer, the dialog and the large view, nothing scrolls sideways: ${name}`, async () => {
    const { page, harmless } = await visit(options, `${LESSON.replace("line%20", "%3Cimg%3E".repeat(60))}&count=0&loss=200`);
    const scan = async () => {
      assert.deepEqual(await violations(page), []);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= options.viewport.width, `${wide} pixels wide`);
      for (const box of await page.locator(".carried-text").all()) {
        const { x, width } = await box.boundingBox();
        assert.ok(x + width <= options.viewport.width, "the text stays in its card");
      }
    };
    await page.locator(".offer-remarks").waitFor();
    await scan();
    await page.locator(".offer-answers button").nth(1).click();
    await share(page);
    await scan();
    await page.locator(".share-parts button").click();
    await page.locator(":root[data-view=large]").waitFor();
    await page.locator(".share").waitFor({ state: "detached" });
    await scan();
    await harmless();
  });
}

/** A hostile fragment, and what the page must say of it. */
const HOSTILE = {
  markup: ["v1&text=<img src=x onerror=alert(1)><script>alert(1)</script>", "<img src=x onerror=alert(1)>"],
  "markup in a name": ["v1&<img src=x onerror=alert(1)>=1", "“<img src” is unknown"],
  "no scenario at all": ["<svg onload=alert(1)>", "It begins with “<svg onload=alert(1)>”"],
  "javascript:": ["v1&text=javascript:alert(1)&path=javascript:alert(1)", "“path” is “javascript:alert(1)”"],
  "another host": ["v1&host=evil.example&to=http://evil.example/", "“host” is unknown"],
  "broken percent codes": ["v1&text=%zz%E4%BD%", "“text” has a % that begins no code"],
  "bytes that are not UTF-8": ["v1&text=%ff%fe", "“text” has bytes that are not UTF-8"],
  "control characters": ["v1&text=%00%1b[2J%07%0d", "\\x00\\x1b[2J\\x07\\r"],
  "characters that turn text round": ["v1&text=%E2%80%AEabc&%E2%81%A6=1", "\\u{202e}abc"],
  "numbers out of range": ["v1&count=99999999999999999999&every=-1&mtu=1", "“count” was out of range and was changed from 99999999999999999999 to 1000"],
  "a knob out of range": ["v1&up.loss=101&delay=99999999999", "“up.loss” was out of range and was changed from 101 to 100"],
  "too many rules": [`v1${"&rule=lose_line:1".repeat(40)}`, "There are too many rules; only the first 16 are used"],
  "thousands of names": [`v1${"&x".repeat(5_000)}`, "And 4,992 more"],
  "a mebibyte": [`v1&text=${"x".repeat(MEBIBYTE)}`, "The share link has 1,048,584 bytes, the limit is 16,384 bytes"],
};

for (const [name, [fragment, said]] of Object.entries(HOSTILE)) {
  test(`a hostile link stays text and sends nothing: ${name}`, async () => {
    const { page, sent, harmless } = await visit({ locale: "en-US" }, `#${fragment}`);
    const offer = page.locator(".offer");
    await offer.waitFor();
    const text = await offer.innerText();
    assert.ok(text.includes(said), text);
    assert.ok(!/[\u0000-\u0008\u000b-\u001f\u202a-\u202e\u2066-\u2069]/.test(text), "it hides nothing");
    assert.equal(await offer.locator("img, script, svg, a, iframe").count(), 0);
    // Any task that would have sent something by itself has had its turn.
    await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
    assert.deepEqual(beyondTheStart(sent), []);
    assert.equal(await page.title(), "Streamgram");
    assert.equal(await page.evaluate(() => document.documentElement.dataset.view ?? "full"), "full");
    await harmless();
  });
}

test("the language of a link is offered: it changes nothing before a click, and the choice stands", async () => {
  const { page, context, harmless } = await visit({ locale: "en-US" }, "#v1&text=x&lang=zh-Hans");
  const language = () => page.locator(":root").getAttribute("lang");
  await page.locator(".offer", { hasText: "This share link contains a scenario" }).waitFor();
  assert.equal(await language(), "en");
  assert.equal(await page.evaluate(() => localStorage.getItem("streamgram.language")), null);
  await page.locator(".offer [lang=zh-Hans]").click();
  await page.locator(".offer", { hasText: "这个分享链接带有一个场景" }).waitFor();
  assert.equal(await page.locator(".offer [lang]").count(), 0);
  const other = await context.newPage();
  await other.goto(`http://${server.http}/`);
  await ready(other);
  assert.equal(await other.locator(":root").getAttribute("lang"), "zh-Hans");
  await harmless();
});

test("a click while the server is away sends nothing when it is back", async () => {
  let away = await startServer();
  const { http } = away;
  const { page, sent, harmless } = await visit({ locale: "en-US" }, LESSON, http);
  await away.stop();
  await page.locator(".header .badge[data-status=lost]").waitFor();
  await page.locator(".offer .primary").click();
  away = await startServer(http);
  await page.locator(".header .badge[data-status=connected]").waitFor();
  await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
  assert.deepEqual(sent.filter(({ type }) => type === "send"), []);
  await harmless();
  await away.stop();
});

/** What a QR code on the page says. */
async function decoded(page) {
  const image = page.locator(".share-qr img");
  await image.waitFor();
  // As text: millions of numbers would be on their way for a minute.
  const pixels = await image.evaluate(async (image) => {
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [800, 800];
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0, 800, 800);
    const { data } = context.getImageData(0, 0, 800, 800);
    return Array.from(data, (byte) => String.fromCharCode(byte)).join("");
  });
  return jsqr(Uint8ClampedArray.from(Buffer.from(pixels, "latin1")), 800, 800)?.data;
}

test("the QR code of a page that was opened as localhost leads to its address in the network", async () => {
  const port = lan.http.split(":").at(-1);
  for (const host of ["127.0.0.1", "localhost"]) {
    const { page, harmless } = await visit({ locale: "en-US" }, LESSON, `${host}:${port}`);
    await page.locator(".offer-answers button").nth(1).click();
    const link = await share(page);
    const { hostname, hash } = new URL(link);
    assert.ok(!["localhost", "127.0.0.1"].includes(hostname), link);
    assert.equal(hash, `${LESSON}&lang=en`);
    assert.equal(await decoded(page), link);
    assert.equal(await page.locator(".share-qr code").innerText(), `http://${hostname}:${port}/`);
    assert.match(await page.locator(".share-qr img").getAttribute("alt"), new RegExp(hostname));
    await harmless();

    const opened = await visit({ locale: "en-US" }, hash, `${hostname}:${port}`);
    await share(opened.page);
    assert.equal((await decoded(opened.page)).split("#")[0], `http://${hostname}:${port}/`);
    await opened.harmless();
  }
});

test("a scenario that is too long for a QR code leaves the address in it", async () => {
  const port = lan.http.split(":").at(-1);
  const { page, harmless } = await visit({ locale: "en-US" }, "", `127.0.0.1:${port}`);
  await page.locator(".prompt-text").fill("x".repeat(900));
  const link = await share(page);
  assert.equal(await decoded(page), link.split("#")[0]);
  await page.locator(".share-qr", { hasText: "too long for a QR code" }).waitFor();
  await harmless();
});

test("a text that is too long for a link is told with the limit", async () => {
  const { page, harmless } = await visit({ locale: "en-US" });
  await page.locator(".prompt-text").fill("x".repeat(17_000));
  await page.locator(".share-open").click();
  await page.locator(".share .notice", { hasText: "the limit is 16,384 bytes" }).waitFor();
  assert.equal(await page.locator(".share-link").count(), 0);
  await harmless();
});

test("a server that only its own machine can reach says how to open it to others", async () => {
  const { page, harmless } = await visit({ locale: "en-US" });
  await share(page);
  const port = server.http.split(":").at(-1);
  await page.locator(".share-qr", { hasText: `streamgram --http 0.0.0.0:${port}` }).waitFor();
  assert.equal(await page.locator(".share-qr img").count(), 0);
  await harmless();
});

for (const viewport of [{ width: 1280, height: 720 }, { width: 1920, height: 1080 }]) {
  test(`on a projector of ${viewport.width} pixels prompt, verdict and strips are in sight; Esc goes back`, async () => {
    const { page, harmless } = await visit({ locale: "en-US", viewport }, `${LESSON}&view=large`);
    await page.locator(".offer .primary").click();
    await answered(page, "TCP", 5);
    await page.locator(finding("UDP", "[data-row=reads] [data-kind=lost]")).waitFor();
    await page.locator(finding("TCP", ".figures"), { hasText: /sent again1/ }).waitFor();
    for (const part of [".prompt-text", ".findings", finding("TCP", ".strip"), finding("UDP", ".strip")]) {
      const box = await page.locator(part).boundingBox();
      assert.ok(box.y >= 0 && box.y + box.height <= viewport.height, `${part}: ${JSON.stringify(box)}`);
    }
    await page.locator(".prompt-text").fill("");
    await page.locator(".prompt-text").press("Enter");
    await page.locator(".notice", { hasText: "An empty line has no bytes" }).waitFor();
    const size = await page.locator(".finding-figures").first().evaluate((it) => parseFloat(getComputedStyle(it).fontSize));
    assert.ok(size >= viewport.width / 60, `${size} pixels`);
    assert.ok(!(await page.locator(lane("TCP", ".transcript")).isVisible()));
    await page.keyboard.press("Escape");
    await page.locator(":root[data-view=full]").waitFor();
    assert.ok(await page.locator(lane("TCP", ".transcript")).isVisible());
    await harmless();
  });
}
