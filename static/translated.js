// A translator of pages puts a <font> in the place of each text. The page goes on to write into the text that it made,
// and to look for it where it put it. So the text goes back there, empty, beside the translation; and when the page
// writes into it or removes it, the translation goes.

const fonts = new WeakMap();
const texts = new WeakMap();

const observer = new MutationObserver((records) => {
  for (const { target, addedNodes, removedNodes, previousSibling, nextSibling } of records) {
    // The page wrote into it.
    if (fonts.has(target)) forget(target);
    for (const node of removedNodes) {
      // The translator shows the original again, or the page has removed it.
      if (texts.has(node)) restore(texts.get(node));
      else if (fonts.has(node) && !node.isConnected) forget(node);
      else if (node.nodeType === Node.TEXT_NODE) {
        const beside = [...addedNodes, previousSibling, nextSibling];
        const font = beside.find((it) => it?.nodeName === "FONT" && it.isConnected && !texts.has(it));
        if (font) keep(node, font);
      }
    }
  }
  // What was done here is no news.
  observer.takeRecords();
});

function keep(text, font) {
  const words = text.data;
  if (font.contains(text)) text.replaceWith(words);
  font.before(text);
  text.data = "";
  fonts.set(text, { font, words });
  texts.set(font, text);
}

function restore(text) {
  text.data = fonts.get(text)?.words ?? text.data;
  forget(text);
}

function forget(text) {
  const { font } = fonts.get(text) ?? {};
  fonts.delete(text);
  texts.delete(font);
  font?.remove();
}

observer.observe(document, { subtree: true, childList: true, characterData: true });
