// A page that the browser translates: a translator takes the page's texts away and puts others in their place.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answered, eventually, finding, of, socket, streamgram, type } from "./streamgram.mjs";

const onPage = streamgram();

/**
 * Translates what may be translated, and what comes later: to capitals, as translators do it. Ways in which they are
 * known to put a <font> in the place of a text.
 */
function translate(way) {
  const marked = (text) => text.parentElement?.closest("[translate=no], font, script, style, textarea, title, svg");
  window.originals = new Map();
  const put = (text) => {
    if (!text.isConnected || text.data.trim() === "" || marked(text)) return;
    const font = document.createElement("font");
    const inner = font.appendChild(document.createElement("font"));
    if (way === "moved") {
      text.before(font);
      inner.append(text);
    } else {
      inner.textContent = text.data.toUpperCase();
      window.originals.set(font, text);
      text.replaceWith(font);
    }
  };
  const all = (root) => {
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const found = [];
    while (texts.nextNode()) found.push(texts.currentNode);
    found.forEach(put);
  };
  all(document.body);
  window.translator = new MutationObserver((records) => {
    for (const { type, target, addedNodes } of records) {
      if (type === "characterData") put(target);
      else for (const node of addedNodes) node.nodeType === Node.TEXT_NODE ? put(node) : all(node);
    }
  });
  translator.observe(document.body, { subtree: true, childList: true, characterData: true });
}

/** Shows the original again. */
function restore() {
  translator.disconnect();
  for (const [font, text] of window.originals) if (font.isConnected) font.replaceWith(text);
}

for (const way of ["replaced", "moved"]) {
  test(
    `with its texts ${way} by a translator, the page goes on to say what is so`,
    onPage(async ({ page, events }) => {
      await page.evaluate(translate, way);
      await type(page, "hello");
      for (const protocol of ["TCP", "UDP"]) await answered(page, protocol, 1);
      await page.getByRole("button", { name: /burst 20/i }).click();
      for (const protocol of ["TCP", "UDP"]) await answered(page, protocol, 20);
      const figures = await page.locator(finding("UDP", ".figures dd")).allTextContents();
      assert.deepEqual(figures.slice(0, 3), ["20", "20", "0"]);
      const reads = () => of(events, "server_read", "tcp").filter(({ offset }) => offset >= 5).length;
      await eventually(async () => {
        const said = (await page.locator(".findings").innerText()).toLowerCase();
        assert.ok(said.includes("20 datagrams, 20 replies"), said);
        assert.ok(said.includes(`${reads()} read`), said);
        assert.equal(said.match(/datagrams,/g).length, 1, said);
      });
      await page.getByRole("button", { name: /^close$/i }).first().click();
      const badge = page.locator(socket("TCP", ".badge"));
      await eventually(async () => assert.match(await badge.innerText(), /^closed$/i));
      await page.getByRole("button", { name: /line 3 lost/i }).click();
      await eventually(async () => assert.match(await badge.innerText(), /^connected$/i));
      await page.locator(".suited button").click();
      await page.locator(".prompt button.primary").click();
      await page.locator(finding("UDP", ".finding-meaning"), { hasText: /no reply to line 3;/i }).waitFor();
      await page.evaluate(restore);
      assert.match(await page.locator(finding("TCP", ".figures dt")).first().innerText(), way === "moved" ? /sent/i : /^sent$/);
      await type(page, "more");
      await page.locator(".result-head h2", { hasText: /^#4 · line 3 lost$/i }).waitFor();
      await answered(page, "TCP", 5);
    }),
  );
}
