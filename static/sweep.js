// The worker that runs a sweep. One message with the settings starts it; the page ends it with terminate().
//
// Receives once: { kind: "goodput" | "exchange", rtt, mss, seed, runs, loss }
//                Everything but the kind has a default. Values are numbers or texts; losses are separated by commas.
// Sends:         { begun: { header, runs } }      the CSV's first line, and the number of runs to come
//                { progress: { done } }           runs done so far, a few times a second
//                { row: { line } }                a line of the CSV, as soon as it is complete
//                { end: { csv } }                 the whole CSV
//                { error: { message } }           a setting that is not allowed, or another failure
//
// The build replaces the names of the two files by names with hashes.
import start, { Sweep } from "./sweep_glue.js";

const WASM = "./sweep.wasm";
/** Milliseconds between two progress messages: more messages would only keep the page busy. */
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
