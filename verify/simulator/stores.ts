/** The stores of simulated lives. Nothing is imported here that the oldest Node.js could not read as it stands. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineMaker } from "../../src/conformance/index.ts";
import { memory } from "../../src/memory/index.ts";
import { sqlite } from "../../src/sqlite/index.ts";

const place = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

export const onMemory: EngineMaker = {
  name: "memory",
  open: () => {
    const engine = memory();
    return { engine: () => engine, dispose: () => undefined };
  },
};

/** Each process has a connection of its own. */
export const onSqlite: EngineMaker = {
  name: "sqlite",
  open: () => {
    const folder = mkdtempSync(join(place, "errand-lives-"));
    const file = join(folder, "life.db");
    return { engine: () => sqlite(file), dispose: () => rmSync(folder, { recursive: true }) };
  },
};
