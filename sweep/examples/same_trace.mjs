// Runs same_trace.rs, built for wasm32-unknown-unknown, and exits as it does: `node same_trace.mjs FILE`.
import { readFile } from "node:fs/promises";

const { instance } = await WebAssembly.instantiate(await readFile(process.argv[2]), {});
process.exitCode = instance.exports.main(0, 0);
