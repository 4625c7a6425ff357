import assert from "node:assert/strict";
import { test } from "node:test";
import { complaintsOf } from "../../scripts/sourceComplaints.ts";

interface Breach {
  readonly file: string;
  readonly source: string;
  readonly says: RegExp | undefined;
}

const core = "src/core/planted.ts";
const sqlite = "src/sqlite/planted.ts";

const breaches: Readonly<Record<string, Breach>> = {
  "new Date() in core": { file: core, source: "export const at = new Date();", says: /reads the clock/ },
  "Date() in an engine": { file: sqlite, source: "export const at = Date();", says: /reads the clock/ },
  "new Date(0) in core": { file: core, source: "export const at = new Date(0);", says: undefined },
  "new Date() in the runtime": { file: "src/runtime/planted.ts", source: "export const at = new Date();", says: undefined },
  "a timer through globalThis": { file: core, source: "globalThis.setTimeout(go, 1);", says: /setTimeout belongs to src\/runtime\// },
  "a timer from node:timers": {
    file: core,
    source: 'import { setTimeout as later } from "node:timers/promises";',
    says: /node:timers\/promises is for src\/runtime\//,
  },
  "a type from node:worker_threads": { file: core, source: 'import type { Worker } from "node:worker_threads";', says: undefined },
  "a random id in the command line": { file: "src/cli/planted.ts", source: 'import { randomUUID } from "node:crypto";', says: /chance and ids/ },
  "all of node:crypto": { file: core, source: 'import * as crypto from "node:crypto";', says: /chance and ids/ },
  "a hash": { file: core, source: 'import { createHash } from "node:crypto";', says: undefined },
  "I/O in core": { file: core, source: 'import { readFileSync } from "node:fs";', says: /core only computes/ },
  "I/O in core for its effect": { file: core, source: 'import "node:fs";', says: /core only computes/ },
  "an engine in core": { file: core, source: 'import { sqlite } from "../sqlite/index.ts";', says: /src\/core\/ must not import from src\/sqlite\// },
  "an engine in a folder of core": {
    file: "src/core/worker/planted.ts",
    source: 'export { sqlite } from "../../sqlite/index.ts";',
    says: /src\/core\/ must not import from src\/sqlite\//,
  },
  "the type of an engine in core": {
    file: core,
    source: 'import type { Sqlite } from "../sqlite/index.ts";',
    says: /src\/core\/ must not import from src\/sqlite\//,
  },
  "an engine in another engine": {
    file: sqlite,
    source: 'import { lane } from "../memory/lane.ts";',
    says: /src\/sqlite\/ must not import from src\/memory\//,
  },
  "the broker in an engine": { file: sqlite, source: 'import { StoreBroker } from "../core/broker.ts";', says: /only types from core\/broker\.ts/ },
  "a type of the broker in an engine": { file: sqlite, source: 'import type { Broker } from "../core/broker.ts";', says: undefined },
  "a listed pure function in an engine": { file: sqlite, source: 'import { isEnded } from "../core/states.ts";', says: undefined },
  "the top in core": { file: core, source: 'import { broker } from "../index.ts";', says: /src\/core\/ must not import from src\/\.\// },
  "a folder without a rule": { file: "src/lately/planted.ts", source: 'import { broker } from "../index.ts";', says: /no entry in scripts\/sourceRules\.ts/ },
  "a file that does not parse": { file: core, source: "export const = 1;", says: /./ },
};

for (const [name, { file, source, says }] of Object.entries(breaches)) {
  test(`the source rules ${says === undefined ? "allow" : "forbid"} ${name}`, () => {
    const messages = complaintsOf(file, source).map(({ message }) => message);
    if (says === undefined) assert.deepEqual(messages, []);
    else assert.match(messages.join("\n"), says);
  });
}

test("a complaint names the line", () => {
  assert.equal(complaintsOf(core, "const a = 1;\n\nnew Date();\n")[0]?.line, 3);
});
