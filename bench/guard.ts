/**
 * `npm run bench -- guard`: has errand become slower? About two minutes, without the peers: errand beside the bare driver, in turns, on each store that is there. What is
 * compared is errand's share of the bare driver's throughput, in the same run, with the share that is on record (guard.json): less than two thirds of it fails.
 *   -- --record (writes guard.json)   -- --json   -- --store redis
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { ask } from "./ask.ts";
import { median } from "./figures.ts";
import * as postgres from "./postgres/server.ts";
import * as redis from "./redis/server.ts";
import type { Question, Store } from "./systems/system.ts";

interface Guarded {
  readonly store: Store;
  readonly question: Question;
  readonly own: string;
  readonly bare: string;
  readonly jobs: number;
}

interface Share {
  readonly what: string;
  /** Of the bare driver's throughput. */
  readonly share: number;
  readonly recorded: number | undefined;
  readonly has: "held" | "fallen" | "no record";
}

const record = new URL("guard.json", import.meta.url);
const rounds = 5;
const leastOfRecord = 2 / 3;

const guarded: readonly Guarded[] = [
  { store: "sqlite", question: "bulk", own: "errand", bare: "bare driver", jobs: 60_000 },
  { store: "sqlite", question: "drain", own: "errand", bare: "bare driver", jobs: 60_000 },
  { store: "postgres", question: "bulk", own: "errand (postgres)", bare: "bare pg", jobs: 20_000 },
  { store: "postgres", question: "drain", own: "errand (postgres)", bare: "bare pg", jobs: 20_000 },
  { store: "redis", question: "bulk", own: "errand (redis)", bare: "bare redis", jobs: 80_000 },
  { store: "redis", question: "drain", own: "errand (redis)", bare: "bare redis", jobs: 80_000 },
];

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== "guard"),
  options: { record: { type: "boolean" }, json: { type: "boolean" }, store: { type: "string" } },
});

const recorded = JSON.parse(await readFile(record, "utf8").catch(() => "{}")) as Readonly<Record<string, number>>;
const asked = await whatIsThere();
const shares = (await measured(asked)).map(judged);
if (values.record)
  await writeFile(record, `${JSON.stringify({ ...recorded, ...Object.fromEntries(shares.map(({ what, share }) => [what, share])) }, undefined, 2)}\n`);
console.log(values.json ? JSON.stringify(shares, undefined, 2) : textOf(shares));
if (!values.record && shares.some(({ has }) => has === "fallen")) process.exitCode = 1;

/** What cannot be measured here is told, by who cannot measure it, and left out. */
async function whatIsThere(): Promise<readonly Guarded[]> {
  const wanted = guarded.filter(({ store }) => values.store === undefined || store === values.store);
  const isThere: Record<Store, boolean> = { sqlite: true, postgres: false, redis: false };
  if (wanted.some(({ store }) => store === "postgres")) isThere.postgres = (await postgres.serverFacts()) !== undefined;
  if (wanted.some(({ store }) => store === "redis")) isThere.redis = (await redis.serverFacts(undefined)) !== undefined;
  return wanted.filter(({ store }) => isThere[store]);
}

/** Systems in turns, and questions in turns: what slows the machine for a while slows a round of each. */
async function measured(what: readonly Guarded[]): Promise<readonly { readonly what: string; readonly share: number }[]> {
  const found = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const one of what) {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${nameOf(one)}, round ${round + 1} of ${rounds}`);
      const [own, bare] = [await perSecond(one, one.own), await perSecond(one, one.bare)];
      found.set(nameOf(one), [...(found.get(nameOf(one)) ?? []), own / bare]);
    }
  }
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[2K");
  return Array.from(found, ([name, each]) => ({ what: name, share: Math.round(median(each) * 1_000) / 1_000 }));
}

async function perSecond(one: Guarded, system: string): Promise<number> {
  const { perSecond: answered = Number.NaN } = await ask({ system, question: one.question, title: nameOf(one), jobs: one.jobs, asked: {} });
  return answered;
}

function judged({ what, share }: { readonly what: string; readonly share: number }): Share {
  const before = recorded[what];
  if (before === undefined) return { what, share, recorded: undefined, has: "no record" };
  return { what, share, recorded: before, has: share >= before * leastOfRecord ? "held" : "fallen" };
}

function nameOf({ store, question }: Pick<Guarded, "store" | "question">): string {
  return `${store} ${question}`;
}

function textOf(all: readonly Share[]): string {
  const wide = Math.max(...all.map(({ what }) => what.length));
  return [
    `Of the bare driver's throughput, median of ${rounds} rounds; less than two thirds of what is on record fails.`,
    ...all.map(({ what, share, recorded: before, has }) => `${what.padEnd(wide)}  ${share.toFixed(3)}  on record ${before?.toFixed(3) ?? "-"}  ${has}`),
  ].join("\n");
}
