// The worker of a sweep: a message with its settings starts it, and the page ends it with terminate().
//
// In, once:  { kind: "goodput" | "exchange", rtt, mss, seed, runs, loss }, all but the kind as usual where
//            they are missing; numbers or texts, the losses with commas between them
// Out:       { begun: { header, runs } }      the first line of the CSV, and how many runs there will be
//            { progress: { done } }           runs so far, a few times a second
//            { row: { line } }                a line of the CSV, as soon as it is known
//            { end: { csv } }                 all of it
//            { error: { message } }           a setting that is not allowed, or what else went wrong
//
// The names of the glue and of the wasm get their hashes when the page is built.
import start, { Sweep } from "./sweep_glue.js";

const WASM = "./sweep.wasm";
/** Milliseconds between two messages of progress: more would only keep the page busy. */
const PROGRESS = 100;

self.onmessage = async ({ data: { kind, ...settings } }) => {
  try {
    await start({ module_or_path: new URL(WASM, import.meta.url) });
    run(new Sweep(String(kind), Object.entries(settings).flat().map(String)));
  } catch (error) {
    postMessage({ error: { message: String(error) } });
  }
};

function run(sweep) {
  const runs = sweep.runs();
  let csv = sweep.header() + "\n";
  postMessage({ begun: { header: sweep.header(), runs } });
  let reported = performance.now();
  while (sweep.done() < runs) {
    const line = sweep.step();
    if (line !== undefined) {
      csv += line + "\n";
      postMessage({ row: { line } });
    }
    if (performance.now() - reported >= PROGRESS || line !== undefined) {
      reported = performance.now();
      postMessage({ progress: { done: sweep.done() } });
    }
  }
  postMessage({ end: { csv } });
}
