/** What somebody finds who opens a file that another one left: what is in it, what is wrong with it, and whether work goes on there. */
import { createHash } from "node:crypto";
import type { Connection } from "../../src/sqlite/driver.ts";
import { Database } from "../../test/sqlite/bench.ts";
import { job } from "../../test/port/stage.ts";
import { damageOf, fingerprintOf } from "./fingerprint.ts";
import { Hand } from "./hand.ts";

export interface Examined {
  /** Of what is there before the engine writes anything. */
  readonly fingerprint: string;
  /** Empty: nothing. */
  readonly complaint: string;
}

/** Opened by SQLite alone, which takes a part of the time. `known`: what was found before, by all pages of the file as SQLite reads them: the same pages are not walked again. */
export function look(file: string, known: Map<string, Examined> = new Map()): Examined {
  const connection = new Database(file, { timeout: 0 });
  try {
    const pages = createHash("sha1")
      .update((connection as Connection & { serialize(): Buffer }).serialize())
      .digest("hex");
    const before = known.get(pages);
    if (before !== undefined) return before;
    const complaint = damageOf(connection);
    const found = { fingerprint: fingerprintOf(connection), complaint };
    known.set(pages, found);
    return found;
  } catch (error) {
    return { fingerprint: "", complaint: String(error) };
  } finally {
    connection.close();
  }
}

/** Opened by the engine itself, and looked at through its connection before its first statement; then work is stored there, and counted. */
export async function examine(file: string): Promise<Examined> {
  let fingerprint = "";
  let damage = "";
  const hand = new Hand(file, (connection) => {
    damage = damageOf(connection);
    fingerprint = fingerprintOf(connection);
    return connection;
  });
  try {
    hand.open();
    if (damage === "") damage = await goOn(hand);
    return { fingerprint, complaint: damage };
  } catch (error) {
    return { fingerprint, complaint: damage || `the engine does not take it: ${String(error)}` };
  } finally {
    await hand.close();
  }
}

async function goOn(hand: Hand): Promise<string> {
  const id = "stored by who came after";
  await hand.enqueue(job(id));
  const { rows } = await hand.engine.find({ of: "jobs", where: {}, limit: 1_000 }, {});
  if (!rows.some((row) => row.id === id)) return "what was enqueued afterwards is not there";
  const counted = (await hand.engine.count({})).reduce((sum, { jobs }) => sum + jobs, 0);
  if (counted !== rows.length) return `it counts ${counted} jobs and holds ${rows.length}`;
  return damageOf(hand.connection);
}
