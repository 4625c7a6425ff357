/**
 * Hostile values come back byte for byte as they were written, or are refused with the same code, by every engine: as payloads of jobs, as what keys are made of
 * in the store, and as what runs hand back.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrandError } from "../../src/core/errors.ts";
import type { ClaimedJob, Engine, JobRow, NewEvent, Outcome } from "../../src/core/engine.ts";
import { contentOf } from "../../src/core/keys.ts";
import { subscriptionKey } from "../../src/core/notes.ts";
import type { StoredSubscription } from "../../src/core/notes.ts";
import { encode } from "../../src/core/payload.ts";
import { storedError, storedReason } from "../../src/core/worker/storedError.ts";
import { broker, task } from "../../src/index.ts";
import type { EngineUnderTest } from "../model/campaign.ts";
import { engines as all } from "../model/engines.ts";
import { stillRuntime } from "../model/stillRuntime.ts";
import type { Store } from "../model/world.ts";
import { tally } from "../tally.ts";
import { hostileTexts, hostileValues } from "./payloads.ts";

type Value = Record<string, unknown>;
const work = task<Value>("work", () => undefined);
const silent = { debug(): void {}, info(): void {}, warn(): void {}, error(): void {} };
const seed = Number(process.env["STREAM_SEED"] ?? 1);
const values = hostileValues(seed, Number(process.env["STREAM_VALUES"] ?? 3_000));
/** What an engine may store of them. */
const accepted = values.flatMap((value) => textOf(value) ?? []);
const texts = hostileTexts(seed, 500);
const atOnce = 100;
const leaseMs = 60_000;
const at = { now: 1_700_000_000_000 };
const keep = { completed: 1e9, skipped: 1e9, cancelled: 1e9, dead: 1e9 };
/** Partitions store values by the scripts of one, and tell of them in an order of their own. */
const whole = Object.values(all).filter(({ isParted }) => isParted !== true);
const targets = whole.filter(({ missing }) => missing === undefined);

describe(`${values.length} hostile values, seed ${seed}`, () => {
  for (const { name, missing } of whole) it(`are given to ${name}`, { skip: missing ?? false }, () => undefined);

  it("come back from every engine as they were written, or are refused with the same code", async () => {
    const expected = values.map((value) => textOf(value) ?? codeOf(value));
    for (const target of targets) await on(target, async (engine, store) => mustBeEqual(target.name, await payloadsOf(engine, store), expected));
    assert.ok(accepted.length > 2_000 && expected.length - accepted.length > 500, `${accepted.length} of ${expected.length} are accepted`);
    const counts = { values: values.length, valuesOfEngines: values.length * targets.length };
    tally({ layer: "differential", engine: "payloads", seeds: String(seed), counts });
  });

  it("make the same keys, the same jobs and the same order in every engine", async () => {
    let first: readonly string[] | undefined;
    for (const target of targets) {
      await on(target, async (engine) => {
        const jobs = await jobsOfEvents(engine);
        mustBeEqual(target.name, jobs, (first ??= jobs));
      });
    }
  });

  it("are told as errors, reasons, progress and results as the worker wrote them", async () => {
    for (const target of targets) {
      await on(target, async (engine) =>
        mustBeEqual(
          target.name,
          await toldOf(engine),
          texts.map((text) => JSON.stringify([storedReason(text), storedError(new Error(text)).message, text.toWellFormed(), text.toWellFormed()])),
        ),
      );
    }
  });

  it("are told as why a job was cancelled, without what no store keeps", async () => {
    for (const target of targets) await on(target, async (engine, store) => mustBeEqual(target.name, await reasonsOf(engine, store), texts.map(storedReason)));
  });
});

async function on({ make }: EngineUnderTest, look: (engine: Engine, store: Store) => Promise<void>): Promise<void> {
  const store = await make();
  const engine = store.connect();
  await engine.open({ runtime: stillRuntime() });
  try {
    await look(engine, store);
  } finally {
    await engine.close();
    await store.dispose?.();
  }
}

/** Handed in at the public door; of what was stored, what it is when it is found and when it is handed out. */
async function payloadsOf(engine: Engine, store: Store): Promise<readonly string[]> {
  const sender = broker({ store: store.isShared ? store.connect() : engine, log: silent }, { work });
  const answers = await Promise.all(values.map((value) => sender.enqueue(work.with({ value })).then(({ id }) => id, refusalOf)));
  const found = new Map((await allJobs(engine)).map(({ id, payload }) => [id, payload]));
  const handed = new Map((await claimAll(engine)).map(({ id, payload }) => [id, payload]));
  await sender.close();
  return answers.map((answer) => {
    if (answer instanceof ErrandError) return answer.code;
    const [text, again] = [found.get(answer), handed.get(answer)];
    return text === again ? String(text) : `found as ${text}, handed out as ${again}`;
  });
}

async function reasonsOf(engine: Engine, store: Store): Promise<readonly string[]> {
  const person = broker({ store: store.isShared ? store.connect() : engine, log: silent }, { work });
  const ids = await Promise.all(texts.map(async () => (await person.enqueue(work.with({}))).id));
  await Promise.all(ids.map((id, index) => person.cancel(id, texts[index])));
  await person.close();
  const rows = new Map((await allJobs(engine)).map((row) => [row.id, row]));
  return ids.map((id) => rows.get(id)?.reason ?? "none");
}

const subscriptions: readonly Pick<StoredSubscription, "orderedBy" | "uniqueBy" | "uniqueMode" | "keyLimits">[] = [
  { orderedBy: ["value"] },
  { uniqueBy: ["value", "value.a"] },
  { uniqueBy: ["value"], uniqueMode: { is: "gather", quietMs: 1, atMostMs: 2, most: 5 }, keyLimits: [{ scope: "per", per: ["value"], is: { running: 1 } }] },
];

async function jobsOfEvents(engine: Engine): Promise<readonly string[]> {
  const notes = subscriptions.map((more, index) => ({ key: subscriptionKey(`s${index}`), value: JSON.stringify(subscription(index, more)) }));
  await engine.enqueue([{ works: [], notes }], at);
  // Gathered payloads are as long as all that is in them.
  const small = accepted.filter((text) => text.length < 20_000);
  for (let from = 0; from < small.length; from += atOnce) {
    const works = small.slice(from, from + atOnce).map((payload, index): NewEvent => {
      return { kind: "event", id: `event-${from + index}`, name: "told", payload, content: contentOf("told", payload), rememberMs: 0 };
    });
    await engine.enqueue([{ works }], at);
  }
  const jobs = await allJobs(engine);
  return jobs.map(({ id, payload, lane, unique, keyLimits, state, waits }) =>
    JSON.stringify([id, payload, lane, unique, keyLimits?.map(({ key, is }) => [key, is]), state, waits?.reason]),
  );
}

function subscription(index: number, more: Partial<StoredSubscription>): StoredSubscription {
  return { name: `s${index}`, event: "told", since: "now", task: `t${index}`, queue: "default", headStartMs: 0, delayMs: 0, isMapped: false, keep, ...more };
}

/** Of each text: in an attempt's reason and error, in the progress that was saved, and in the result. */
async function toldOf(engine: Engine): Promise<readonly string[]> {
  const id = (index: number): string => `job-${index}`;
  const works = texts.map((_, index) => {
    return { kind: "job" as const, id: id(index), content: "", rememberMs: 0, task: "work", queue: "default", payload: "{}", headStartMs: 0, keep };
  });
  for (let from = 0; from < works.length; from += atOnce) await engine.enqueue([{ works: works.slice(from, from + atOnce) }], at);
  const first = await claimAll(engine);
  const told = ({ id: jobId }: { readonly id: string }): string => texts[Number(jobId.slice("job-".length))] ?? "";
  await settleAll(engine, first, (job) => ({
    is: "snoozed",
    delayMs: 0,
    reason: storedReason(told(job)),
    checkpoint: JSON.stringify(told(job).toWellFormed()),
  }));
  await settleAll(engine, await claimAll(engine), (job) => ({ is: "retry", delayMs: 0, error: storedError(new Error(told(job))) }));
  await settleAll(engine, await claimAll(engine), (job) => ({ is: "completed", result: JSON.stringify(told(job).toWellFormed()) }));
  const rows = new Map((await allJobs(engine)).map((row) => [row.id, row]));
  return texts.map((_, index) => {
    const { history = [], checkpoint = "null", result = "null" } = rows.get(id(index)) ?? {};
    return JSON.stringify([history[0]?.reason, history[1]?.error?.message, JSON.parse(checkpoint), JSON.parse(result)]);
  });
}

async function settleAll(engine: Engine, jobs: readonly Held[], outcome: (job: Held) => Pick<Outcome, "is"> & Partial<Outcome>): Promise<void> {
  for (let from = 0; from < jobs.length; from += atOnce) {
    const part = jobs.slice(from, from + atOnce).map((job) => ({ id: job.id, claim: job.claim, fence: job.fence, ranMs: 1, ...outcome(job) }));
    for (const { is } of await engine.settle(part, at)) assert.equal(is, "settled");
  }
}

type Held = Omit<ClaimedJob, "fence"> & { readonly claim: string; readonly fence: number };

async function claimAll(engine: Engine): Promise<Held[]> {
  const held: Held[] = [];
  for (let turn = 0; ; turn += 1) {
    const wanted = { process: "p", leaseMs, claim: `claim-${held.length}-${turn}`, lastFence: 0, tasks: ["work"], alone: "no" as const, settling: [] };
    // What was handed in at the public door has the real time.
    const { jobs, fence } = await engine.claim({ ...wanted, queues: [{ queue: "default", slots: atOnce, ahead: 0 }] }, { now: 4_000_000_000_000 });
    held.push(...jobs.map((job) => ({ ...job, claim: wanted.claim, fence: job.fence ?? fence })));
    if (jobs.length === 0) return held;
  }
}

async function allJobs(engine: Engine): Promise<JobRow[]> {
  const rows: JobRow[] = [];
  for (let after: string | undefined; ;) {
    const page = await engine.find({ of: "jobs", where: {}, limit: atOnce, ...(after !== undefined && { after }) }, at);
    rows.push(...page.rows);
    after = page.next;
    if (after === undefined) return rows;
  }
}

function textOf(value: unknown): string | undefined {
  try {
    return encode({ value }, "work");
  } catch {
    return undefined;
  }
}

function codeOf(value: unknown): string {
  try {
    return encode({ value }, "work");
  } catch (error) {
    return refusalOf(error).code;
  }
}

function refusalOf(error: unknown): ErrandError {
  if (error instanceof ErrandError) return error;
  throw error;
}

function mustBeEqual(engine: string, got: readonly string[], expected: readonly string[]): void {
  const index = expected.findIndex((text, place) => got[place] !== text);
  const short = (text: string | undefined): string => JSON.stringify(text)?.slice(0, 500) ?? "nothing";
  assert.ok(index < 0, `${engine}: value ${index} is ${short(got[index])}, not ${short(expected[index])}`);
  assert.equal(got.length, expected.length);
}
