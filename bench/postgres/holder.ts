/** Somebody else's transaction, open all the while: vacuum removes nothing that ended since. */
import pg from "pg";
import type { Held } from "../systems/system.ts";
import type { PostgresProducer } from "./system.ts";

/** No job that a question counts has it: it is never committed. */
const heldId = 0;

type Hold = (client: pg.Client, producer: PostgresProducer) => Promise<unknown>;
const holds: Readonly<Record<Held, Hold>> = {
  nothing: () => Promise.resolve(),
  snapshot: async (client) => {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
    await client.query("SELECT count(*) FROM pg_class");
  },
  writer: async (client) => {
    await client.query("CREATE TABLE held (id int)");
    await client.query("BEGIN");
    await client.query("INSERT INTO held VALUES (1)");
  },
  enqueue: async (client, producer) => {
    if (producer.enqueueWithin === undefined) throw new Error("it cannot enqueue in a caller's transaction");
    await client.query("BEGIN");
    await producer.enqueueWithin(client, heldId);
  },
};

/** `enqueue`: by the producer's own system. Until it is ended. */
export async function holding(url: string, held: Held, producer: PostgresProducer): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  // Its database is dropped under it.
  client.on("error", () => undefined);
  await client.connect();
  await holds[held](client, producer);
  return client;
}
