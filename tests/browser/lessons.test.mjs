// The lessons: a prediction, a run for real, what came of it. Each in both languages, foretold rightly and
// wrongly; by link; kept in the browser.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { answered, eventually, finding, lane, launch, named, of, recordEvents, startServer, tab, type, visitor } from "./streamgram.mjs";

/** Each lesson, and the choice, from 0, that the lab or loopback shows; how often TCP reads is chance, so that can vary. */
const LESSONS = { connection: 0, records: 1, reliability: 1, order: 1, duplicates: 1, cost: 2, nodelay: 1 };
const LANGUAGES = ["en-US", "zh-CN"];

let server, browser;
before(async () => {
  server = await startServer();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A page at a lesson's link, for a visitor of its own. */
async function visit(id, { http = server.http, prepare = () => {}, ...options } = {}) {
  const context = await visitor(browser, options);
  const page = await context.newPage();
  const sent = [];
  page.on("websocket", (socket) => {
    socket.on("framesent", ({ payload }) => sent.push(named(JSON.parse(payload))));
  });
  const events = recordEvents(page);
  await prepare(page);
  await page.goto(`http://${http}/${id === undefined ? "" : `#lesson=${id}`}`);
  // The sockets are in sight elsewhere; a run waits for them.
  await page.locator(".header .badge[data-status=connected]").waitFor();
  return { page, sent, events, close: () => context.close() };
}

const choice = (page, at) => page.locator(".lesson-choice input").nth(at);
const run = (page) => page.locator(".lesson .primary");

/** Predicts, runs, and returns what the page says came of it. */
async function predictAndRun(page, at) {
  await choice(page, at).check();
  await run(page).click();
  const outcome = page.locator(".lesson-outcome[data-right]");
  await outcome.waitFor();
  return { right: await outcome.getAttribute("data-right"), text: await outcome.textContent() };
}

/** What the page has counted, by name. */
async function counted(page) {
  const figures = await page.locator(".lesson-figures > div").evaluateAll((all) =>
    all.map((it) => [it.querySelector("dt").textContent, Number(it.querySelector("dd").textContent.replace(/\D/g, ""))]),
  );
  return Object.fromEntries(figures);
}

for (const locale of LANGUAGES) {
  for (const [id, shows] of Object.entries(LESSONS)) {
    test(`the lesson ${id} tells a right prediction from a wrong one: ${locale}`, async () => {
      const { page, close } = await visit(id, { locale });
      assert.equal(await run(page).isDisabled(), true);
      const choices = await page.locator(".lesson-choice").allTextContents();
      for (const predicted of [shows, shows === 0 ? 1 : 0]) {
        const { right, text } = await predictAndRun(page, predicted);
        const outcome = id === "records" && text.includes(choices[0]) ? 0 : shows;
        assert.ok(text.includes(choices[outcome]), `${text} does not say ${choices[outcome]}`);
        assert.equal(right, String(predicted === outcome), text);
        // The evidence has the prediction on it.
        const mark = page.locator(`.result-mark[data-right='${right}']`);
        await mark.waitFor();
        if (right === "true") assert.ok((await mark.textContent()).includes(choices[predicted]));
        assert.equal(await page.locator(".lesson-why a[href^='https://www.rfc-editor.org/']").count(), 1);
      }
      await close();
    });
  }
}

test("the figures beside an outcome are those of the wire", async () => {
  const { page, close } = await visit("reliability");
  await predictAndRun(page, 1);
  assert.deepEqual(await counted(page), {
    "TCP lines sent": 5,
    "TCP lines answered": 5,
    "UDP lines sent": 5,
    "UDP lines answered": 4,
  });
  // What is sent afterwards is not the lesson's: it is neither judged nor its evidence.
  await page.locator(".views a[href='#play']").click();
  await type(page, "more");
  await answered(page, "TCP", 1);
  await page.goBack();
  await page.locator(".result-invitation").waitFor();
  assert.equal(await page.locator(".lesson-figures, .result-mark, .finding").count(), 0);
  assert.equal(await choice(page, 1).isChecked(), true);
  await close();
});

test("the result stands to the right of the question, and the next lesson follows", async () => {
  const { page, close } = await visit("reliability", { viewport: { width: 1440, height: 900 } });
  const [next, why] = [page.locator(".lesson-next a"), page.locator(".lesson-why")];
  assert.deepEqual([await why.count(), await page.locator(".result-mark").count()], [0, 0]);
  await page.locator(".result-invitation").waitFor();
  await choice(page, 1).check();
  await run(page).click();
  // While it runs nothing is judged, and nothing explained.
  await page.locator(finding("UDP", ".figures")).waitFor();
  assert.equal(await page.locator(".result-mark").getAttribute("data-right"), null);
  await why.waitFor();
  const [lesson, result] = await Promise.all(
    [".lesson", ".workbench-result .result"].map((part) => page.locator(part).boundingBox()),
  );
  assert.ok(lesson.x + lesson.width <= result.x && lesson.y < result.y + result.height, "side by side");
  assert.ok((await page.locator(".result-mark").boundingBox()).y < result.y + result.height);
  await page.locator(".ladder-held", { hasText: "lines 4–5 wait for line 3" }).waitFor();
  for (const [name, part] of [["bytes", ".dump"], ["code", ".commands"], ["export", ".exports"]]) {
    await tab(page, name);
    await page.locator(part).first().waitFor();
  }
  await tab(page, "rows");
  await page.locator(lane("UDP", ".row[data-status=lost]")).waitFor();

  assert.match(await next.textContent(), /^Next: /);
  await next.click();
  await page.locator(".lesson[data-lesson=order]").waitFor();
  // What came of the lesson before is not this one's.
  await page.locator(".result-invitation").waitFor();
  assert.equal(await page.locator(".lesson-outcome, .lesson-why, .result-mark, .finding").count(), 0);
  assert.equal(await run(page).isDisabled(), true);
  await page.evaluate((id) => (location.hash = `lesson=${id}`), Object.keys(LESSONS).at(-1));
  await next.waitFor({ state: "detached" });
  await close();
});

test("a prediction and its outcome are kept, and forgotten on request", async () => {
  const { page, close } = await visit("connection");
  await predictAndRun(page, 0);
  await page.reload();
  const mark = page.locator(".lessons-list li").first().locator("small");
  await mark.waitFor();
  assert.match(await mark.textContent(), /predicted/);
  assert.equal(await choice(page, 0).isChecked(), true);
  await page.locator(".lessons-forget").click();
  await mark.waitFor({ state: "detached" });
  assert.equal(await choice(page, 0).isChecked(), false);
  await page.reload();
  await choice(page, 0).waitFor();
  assert.equal(await mark.count(), 0);
  await close();
});

test("another prediction takes the outcome back", async () => {
  const { page, close } = await visit("connection");
  await predictAndRun(page, 0);
  await choice(page, 2).check();
  await page.locator(".lesson-outcome").waitFor({ state: "detached" });
  assert.equal(await page.locator(".lesson-why").count(), 0);
  await close();
});

test("a change is sent and not judged", async () => {
  const { page, sent, events, close } = await visit("nodelay");
  await predictAndRun(page, 1);
  const opened = () => sent.filter((it) => it.type === "open" && it.protocol === "tcp").map((it) => it.nodelay);
  assert.equal(opened().at(-1), false);
  await page.locator(".lesson-changes button").first().click();
  await page.locator(".lesson-outcome").waitFor({ state: "detached" });
  await eventually(() => assert.equal(opened().at(-1), true));
  await eventually(() => assert.equal(of(events, "answered", "tcp").length, 10));
  assert.equal(await page.locator(".lesson-outcome").count(), 0);
  await close();
});

test("a lesson is reached by its link and by the list, offers nothing, and a link can be wrong", async () => {
  const { page, close } = await visit("no-such-thing");
  await page.getByText("There is no lesson “no-such-thing” here.").waitFor();
  assert.equal(await page.locator(".offer").count(), 0);
  await page.locator(".lessons-list a").nth(3).click();
  await page.locator(".lesson[data-lesson=order]").waitFor();
  assert.equal(await page.evaluate(() => location.hash), "#lesson=order");
  await page.goBack();
  await page.locator(".lesson").waitFor({ state: "detached" });
  await close();
});

test("a hostile link is quoted in part, as text, and scrolls nothing sideways", async () => {
  for (const width of [1440, 320]) {
    const { page, close } = await visit(`<img src=x onerror=alert(1)>${"x".repeat(20_000)}`, {
      viewport: { width, height: 800 },
    });
    const said = page.locator(".lessons-unknown");
    await said.waitFor();
    assert.ok((await said.textContent()).length < 200);
    assert.equal(await page.locator(".lessons img").count(), 0);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
    await close();
  }
});

test("who plays loads no lessons, and what does not come can be asked for again", async () => {
  let asked = 0;
  const { page, close } = await visit(undefined, {
    prepare: (page) =>
      page.route(/lessons-.*\.json$/, (route) => (++asked === 1 ? route.abort() : route.continue())),
  });
  assert.equal(asked, 0);
  await page.locator(".views a[href='#lessons']").press("Enter");
  await page.locator(".lessons [role=alert] button").click();
  await page.locator(".lessons-list a").first().waitFor();
  assert.equal(asked, 2);
  await close();
});

test("half a run shows nothing", async () => {
  const own = await startServer();
  const { page, close } = await visit("reliability", { http: own.http });
  await choice(page, 1).check();
  await run(page).click();
  await page.locator(finding("UDP", ".figures dd")).first().getByText("5", { exact: true }).waitFor();
  await own.stop();
  await page.locator(".lesson-outcome", { hasText: "did not show any of these" }).waitFor();
  assert.equal(await page.locator(".lesson-outcome").getAttribute("data-right"), null);
  await close();
});
