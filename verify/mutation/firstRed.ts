/** A reporter of node:test: tells whose test begins, and ends the process at the first that fails. */
import { writeSync } from "node:fs";
import path from "node:path";
import { root } from "../../scripts/root.ts";

interface Event {
  readonly type: string;
  readonly data: { readonly name?: string; readonly file?: string; readonly todo?: boolean | string };
}

// oxlint-disable-next-line require-yield -- what it tells must be out before the process ends
export default async function* firstRed(events: AsyncIterable<Event>): AsyncGenerator<string, void> {
  for await (const { type, data } of events) {
    const file = path.relative(root, data.file ?? root);
    if (type === "test:start") writeSync(1, `begun ${file}\n`);
    if (type !== "test:fail" || data.todo !== undefined) continue;
    writeSync(1, `red ${data.name ?? ""} (${file})\n`);
    process.exit(1);
  }
}
