import assert from "node:assert/strict";
import { it } from "node:test";
import pg from "pg";
import type { At, Claim, Engine } from "../../src/core/engine.ts";
import { postgres } from "../../src/postgres/index.ts";
import { StillRuntime } from "../port/stillRuntime.ts";
import { job, start } from "../port/stage.ts";
import { freshPlace, notPooled } from "./places.ts";
import { postgresMissing } from "./server.ts";

const skip = postgresMissing ?? notPooled("its sessions do not begin read-only where a client asks for that");
const at: At = { now: start };

const wanted: Claim = {
  process: "p",
  leaseMs: 8_000,
  claim: "c",
  lastFence: 0,
  queues: [{ queue: "mail", slots: 5, ahead: 0 }],
  tasks: ["send"],
  alone: "no",
  settling: [],
};

const idle: readonly { readonly verb: string; readonly call: (engine: Engine) => unknown }[] = [
  { verb: "tidy", call: (engine) => engine.tidy({ items: 1_000, mayExpire: true }, at) },
  { verb: "claim", call: (engine) => engine.claim(wanted, at) },
  { verb: "beat", call: (engine) => engine.beat("p", 8_000, at) },
  { verb: "find", call: (engine) => engine.find({ of: "jobs", where: {}, limit: 10 }, at) },
  { verb: "count", call: (engine) => engine.count(at) },
  { verb: "pins", call: (engine) => engine.pins?.(0) },
  { verb: "setAside", call: (engine) => engine.setAside?.() },
  { verb: "readNote", call: (engine) => engine.readNote("nothing", at) },
];

it("what has nothing to do writes nothing, and waits for no writer", { skip }, async () => {
  const place = await freshPlace();
  const runtime = new StillRuntime();
  const writing = postgres(place.pool, { schema: place.schema });
  await writing.open({ runtime });
  await writing.enqueue([{ works: [job("a", { delayMs: 1_000 })] }], at);
  await writing.tidy({ items: 1_000, mayExpire: true }, at);
  const reader = new pg.Pool({ connectionString: place.url, options: "-c default_transaction_read_only=on -c lock_timeout=1s", max: 1 });
  const reading = postgres(reader, { schema: place.schema });
  const writer = await place.pool.connect();
  try {
    await reading.open({ runtime });
    await writer.query("BEGIN");
    await writer.query(`SELECT ${place.schema}.begin_verb($1)`, [start]);
    for (const { verb, call } of idle) await assert.doesNotReject(async () => call(reading), verb);
  } finally {
    await writer.query("ROLLBACK");
    writer.release();
    await reading.close();
    await reader.end();
    await writing.close();
    await place.done();
  }
});
