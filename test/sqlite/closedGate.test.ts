/** What waits behind a closed gate, or was tried before and is passed over, costs nothing, however much it is: statements and rows are counted, not time. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import Database from "better-sqlite3";
import type { Claim, Engine, NewJob, TaskTerms } from "../../src/core/engine.ts";
import { limitKey } from "../../src/core/notes.ts";
import { sqlite } from "../../src/sqlite/index.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";

/** Statements that were executed, and rows that they answered. */
const work = { statements: 0, rows: 0 };
const prepare = Database.prototype.prepare as (this: Database.Database, sql: string) => Database.Statement;

function counted(this: Database.Database, sql: string): Database.Statement {
  const statement: Database.Statement = prepare.call(this, sql);
  for (const name of ["all", "get", "run"] as const) {
    const method = statement[name].bind(statement) as (...values: unknown[]) => unknown;
    statement[name] = ((...values: unknown[]) => {
      const answer = method(...values);
      work.statements++;
      work.rows += Array.isArray(answer) ? answer.length : 1;
      return answer;
    }) as never;
  }
  return statement;
}

const keep = { completed: 1e6, skipped: 1e6, cancelled: 1e6, dead: 1e6 };
const job = (n: number, task: string): NewJob => ({
  kind: "job",
  id: `${task}-${n}`,
  content: "",
  rememberMs: 0,
  task,
  queue: "default",
  payload: "{}",
  headStartMs: 0,
  keep,
});
const afterAll = 1_000_000;
const at = { now: Date.UTC(2026, 0, 1) };

/** Jobs that a claim passes over: what becomes of each five hundred of them first, and by which terms. */
interface Passed {
  readonly name: string;
  readonly before: (engine: Engine, n: number) => Promise<void>;
  readonly terms: TaskTerms;
  /** Whose other jobs are handed out meanwhile. */
  readonly others: string;
}

const passed: readonly Passed[] = [
  { name: "behind a closed gate", before: () => Promise.resolve(), terms: { gates: ["closed"] }, others: "free" },
  { name: "tried before, more urgent than others of their task", before: triedOnce, terms: { retriesMost: 0 }, others: "passed" },
];

async function triedOnce(engine: Engine, n: number): Promise<void> {
  const claim = `try ${n}`;
  const queues = [{ queue: "default", slots: 500, ahead: 0 }];
  const terms = { passed: { retriesMost: 0 } };
  const { jobs, fence } = await engine.claim(
    { process: "p", leaseMs: 8_000, claim, lastFence: 0, queues, tasks: ["passed"], terms, alone: "no", settling: [] },
    at,
  );
  assert.equal(jobs.length, 500);
  await engine.settle(
    jobs.map(({ id }) => ({ id, claim, fence, is: "retry", delayMs: 0, ranMs: 1 })),
    at,
  );
}

async function costOfClaims(
  engine: Engine,
  { before, terms, others }: Passed,
  waiting: number,
): Promise<{ readonly statements: number; readonly rows: number }> {
  await engine.open({ runtime: new VirtualRuntime() });
  await engine.enqueue([{ works: [], notes: [{ key: limitKey("closed"), value: '{"running":0}' }] }], at);
  for (let n = 0; n < waiting; n += 500) {
    await engine.enqueue([{ works: Array.from({ length: 500 }, (_, index) => job(n + index, "passed")) }], at);
    await before(engine, n);
  }
  await engine.enqueue([{ works: Array.from({ length: 20 }, (_, n) => job(afterAll + n, others)) }], at);
  const claim = (name: string): Claim => ({
    process: "p",
    leaseMs: 8_000,
    claim: name,
    lastFence: 0,
    queues: [{ queue: "default", slots: 5, ahead: 5 }],
    tasks: ["passed", "free"],
    terms: { passed: terms },
    alone: "no",
    settling: [],
  });
  Object.assign(work, { statements: 0, rows: 0 });
  const first = await engine.claim(claim("one"), at);
  const second = await engine.claim(claim("two"), at);
  await engine.tidy({ items: 1_000, mayExpire: true }, at);
  assert.ok([...first.jobs, ...second.jobs].every(({ id }) => Number(id.split("-")[1]) >= afterAll));
  assert.equal(first.jobs.length + second.jobs.length, 20);
  return { ...work };
}

for (const each of passed) {
  test(`claims beside jobs ${each.name} execute the same statements and read the same rows with 500 of them and with 100,000`, () => costsTheSame(each));
}

async function costsTheSame(each: Passed): Promise<void> {
  Database.prototype.prepare = counted as never;
  const folder = mkdtempSync(path.join(tmpdir(), "errand-gate-"));
  try {
    const costs = [];
    for (const waiting of [500, 100_000]) {
      const engine = sqlite(path.join(folder, `${waiting}.db`));
      costs.push(await costOfClaims(engine, each, waiting));
      await engine.close();
    }
    assert.ok((costs[0]?.statements ?? 0) > 10, "the counter counts");
    assert.deepEqual(costs[1], costs[0]);
  } finally {
    Database.prototype.prepare = prepare as never;
    rmSync(folder, { recursive: true, force: true });
  }
}
