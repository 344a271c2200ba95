// Writes a line for each test that was skipped, its name and the reason: for `cargo xtask test`.

export default async function* skipped(events) {
  for await (const { type, data } of events) {
    if (type === "test:pass" && data.skip !== undefined) yield `${data.name}: ${data.skip}\n`;
  }
}
