/**
 * Opens a store on a disk that has no room, with a little more room each time until it opens, and tells as JSON how it was refused. Arguments: the folder, a file system of
 * its own that is small; and whether the store is there before.
 */
import { appendFileSync, statSync, truncateSync } from "node:fs";
import path from "node:path";
import { ErrandError } from "../../src/core/errors.ts";
import { job } from "../../test/port/stage.ts";
import { Hand } from "./hand.ts";

export interface FullOpen {
  readonly refusals: readonly string[];
  readonly jobs: number;
}

const [folder = "", before = ""] = process.argv.slice(2);
const file = path.join(folder, "work.db");
const ballast = path.join(folder, "ballast");
const blockBytes = 4_096;
const triesMax = 200;

if (before === "there") {
  const first = new Hand(file);
  first.open();
  await first.enqueue(job("a"));
  await first.close();
}
fill();
const hand = new Hand(file);
const refusals: string[] = [];
for (let tries = 0; tries < triesMax && !opens(); tries += 1) truncateSync(ballast, statSync(ballast).size - blockBytes);
truncateSync(ballast, 0);
await hand.enqueue(job("b"));
const { rows } = await hand.engine.find({ of: "jobs", where: {}, limit: 10 }, {});
await hand.close();
const told: FullOpen = { refusals, jobs: rows.length };
console.log(JSON.stringify(told));

function opens(): boolean {
  try {
    hand.open();
    return true;
  } catch (error) {
    if (!ErrandError.is(error)) throw error;
    refusals.push(error.message);
    return false;
  }
}

function fill(): void {
  try {
    for (;;) appendFileSync(ballast, Buffer.alloc(blockBytes, 1));
  } catch {
    // It is full.
  }
}
