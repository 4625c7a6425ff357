/** A process of an app that hands in, commits, and is killed at a moment of its relay's. `node outboxMain.ts postgres-url schema redis-url prefix before-move|before-done`. */
import pg from "pg";
import type { Outbox, OutboxBatch } from "../../src/core/engine.ts";
import { postgres } from "../../src/postgres/index.ts";
import { job } from "../port/stage.ts";
import { lending, openedWith } from "./outboxScene.ts";

const [database = "", schema = "", url = "", prefix = "", when = ""] = process.argv.slice(2);

function die(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("killed");
}

const pool = new pg.Pool({ connectionString: database, max: 3 });
const wrapped = ({ take, done }: Outbox): Partial<Outbox> => ({
  async take(this: Outbox, ...asked: Parameters<Outbox["take"]>): Promise<OutboxBatch | undefined> {
    const batch = await take.apply(this, asked);
    return batch !== undefined && when === "before-move" ? die() : batch;
  },
  done(this: Outbox, ...asked: Parameters<Outbox["done"]>) {
    return when === "before-done" ? die() : done.apply(this, asked);
  },
});
const { engine } = await openedWith(lending(postgres(pool, { schema }), wrapped), { url, prefix });
const client = await pool.connect();
await client.query("BEGIN");
const gone = { completed: 0, skipped: 0, cancelled: 0, dead: 0 };
await engine.enqueue([{ works: [job("a", { keep: gone }), job("b", { keep: gone })] }], { tx: client });
await client.query("COMMIT");
