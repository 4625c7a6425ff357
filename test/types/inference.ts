/** What the compiler infers, as equalities. Compiling it is the test: inference.test.ts does, and so does the type check of the repository. */
import { type } from "arktype";
import * as v from "valibot";
import * as z from "zod";
import {
  batch,
  chain,
  event,
  giveUp,
  task,
  when,
  type Accepted,
  type Broker,
  type DomainEvent,
  type Errand,
  type Expected,
  type Fact,
  type HeldLock,
  type Job,
  type Leader,
  type Predecessor,
  type Scope,
  type Subscription,
  type SyncScope,
  type Task,
  type Transaction,
} from "../../src/index.ts";

/** Makes sure that a value is of exactly that type. */
function is<Expected>(): <Actual>(_value: Actual, _isSame: Equal<Actual, Expected>) => void {
  return () => undefined;
}
/** True only for the same type: `any` equals nothing but itself. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_isSame: Equal<A, B>): void {}

declare const work: Broker;
declare const database: { prepare(sql: string): { run(...values: never[]): unknown }; exec(sql: string): unknown };

interface Order {
  orderId: string;
}

// ── schemas: the wire carries the input, functions see the output ──

const ofZod = task("zod", {
  input: z.object({ orderId: z.string(), at: z.iso.datetime().transform((text) => new Date(text)), copies: z.number().default(1) }),
  orderedBy: "orderId",
  uniqueBy: ["orderId", "at"],
  unless: (input) => (same<typeof input, { orderId: string; at: Date; copies: number }>(true), null),
  run: (input, job) => {
    same<typeof input, { orderId: string; at: Date; copies: number }>(true);
    same<typeof job, Job>(true);
  },
});
same<typeof ofZod, Task<{ orderId: string; at: string; copies?: number | undefined }>>(true);

const ofValibot = task("valibot", {
  input: v.object({
    orderId: v.string(),
    at: v.pipe(
      v.string(),
      v.transform((text) => new Date(text)),
    ),
    copies: v.optional(v.number(), 1),
  }),
  orderedBy: "orderId",
  run: (input) => is<{ orderId: string; at: Date; copies: number }>()(input, true),
});
same<typeof ofValibot, Task<{ orderId: string; at: string; copies?: number | undefined }>>(true);

const ofArktype = task("arktype", {
  input: type({ orderId: "string", at: type("string").pipe((text) => new Date(text)), copies: "number = 1" }),
  orderedBy: "orderId",
  run: (input) => is<{ orderId: string; at: Date; copies: number }>()(input, true),
});
ofArktype.with({ orderId: "7", at: "2026-01-01" });
when(event("order.dated", z.object({ orderId: z.string(), at: z.string() })), ofArktype);

// ── without a schema, run's annotation is the input ──

const bare = task("bare", (_input: Order, job) => same<typeof job, Job>(true));
same<typeof bare, Task<Order>>(true);
same<Parameters<typeof bare.with>[0], Order>(true);

// A key beside an annotated run once made the payload `{ orderId: any }`, without a word.
const keyed = task("keyed", { orderedBy: "orderId", run: async (_input: Order, job) => same<typeof job, Job>(true) });
same<typeof keyed, Task<Order>>(true);

const empty = task("empty", () => undefined);
same<typeof empty, Task<{}>>(true);
empty.with({});

const written: Task<{ id: string }> = task("written", ({ id }: { id: string }) => id.length);
same<ReturnType<typeof written.with>, Errand>(true);

// ── what JSON can say is a payload ──

interface Tree {
  name: string;
  children: Tree[];
}
task("interfaces and recursion", (_input: Tree) => undefined);
task("tuples, unions, nulls and records", (_input: { pair: [string, number]; state: "open" | "closed" | null; counts: Record<string, number> }) => undefined);
task("brands", { input: z.object({ id: z.string().brand<"UserId">() }), run: ({ id }) => same<typeof id, string & z.core.$brand<"UserId">>(true) });
task("any JSON", { input: z.json(), run: () => undefined });
task("one of several", {
  input: z.discriminatedUnion("kind", [z.object({ kind: z.literal("a"), a: z.string() }), z.object({ kind: z.literal("b"), b: z.number() })]),
  orderedBy: "kind",
  run: () => undefined,
}).with({ kind: "b", b: 1 });
task("optional fields", { input: z.object({ n: z.number().optional() }), run: () => undefined }).with({ n: undefined });

// ── generic wrappers ──

function later<In>(wanted: Task<In>, input: In): Errand {
  return wanted.with(input as never, { in: "10m" });
}
later(bare, { orderId: "7" });

// ── batches and chains are errands ──

const composed = batch([bare.with({ orderId: "7" }), chain(empty.with({}), batch([]))], {
  whenAllSucceed: chain(empty.with({})),
  whenAnyFails: empty.with({}),
  id: "x",
});
same<typeof composed, Errand>(true);
empty.with({}, { after: [composed, "stored"] });
const listed: readonly Errand[] = [composed];
batch(listed, { after: composed });

// ── premises ──

interface Invoice {
  version: number;
  status: "open" | "void";
  dueAt: Date;
}
declare const invoices: { get(id: string): Promise<Invoice | null> };

const guarded = task("guarded", {
  input: z.object({ id: z.string() }),
  current: ({ id }) => (same<typeof id, string>(true), invoices.get(id)),
  ifStale: {
    conflict: ({ id }, { expected, found, reason }, job) => {
      same<typeof id, string>(true);
      same<typeof found, Invoice | undefined>(true);
      same<typeof expected, Expected<Invoice>>(true);
      same<typeof expected.version, number | undefined>(true);
      same<typeof reason, string>(true);
      same<typeof job, Job>(true);
    },
  },
  run: ({ id }, job, current) => {
    same<typeof id, string>(true);
    same<typeof job, Job>(true);
    same<typeof current, Invoice | undefined>(true);
  },
});
same<typeof guarded, Task<{ id: string }, Invoice>>(true);
same<keyof Expected<Invoice>, "version" | "status">(true);
guarded.with({ id: "7" }, { expecting: { version: 7, status: "open" } });

// Where run takes no record, it may stand before `current`.
const before = task("before", {
  input: z.object({ id: z.string() }),
  run: async (_input, job) => same<typeof job, Job>(true),
  current: ({ id }) => invoices.get(id),
});
same<typeof before, Task<{ id: string }, Invoice>>(true);

// A version alone is a premise too; without a schema the input is annotated.
const byVersion = task("by-version", {
  current: (_input: { id: string }) => 7,
  run: (_input: { id: string }, _job, current) => same<typeof current, number | undefined>(true),
});
byVersion.with({ id: "7" }, { expecting: 7 });

const unguarded = task("unguarded", (_input: { id: string }, _job, current) => same<typeof current, undefined>(true));
same<typeof unguarded, Task<{ id: string }>>(true);

// In the app's transaction the record is read through it.
task("locked", {
  current: ({ id }: { id: string }, tx) => (same<typeof tx, Transaction | undefined>(true), { id, version: 7 }),
  run: (_input: { id: string }) => undefined,
});

// ── results, and what reads them ──

const counted = task("counted", {
  input: z.object({ id: z.string() }),
  result: z.object({ pages: z.number(), at: z.iso.datetime().transform((text) => new Date(text)) }),
  run: async () => ({ pages: 1, at: "2026-01-01T00:00:00Z" }),
});
same<typeof counted, Task<{ id: string }>>(true);
task("reading", async (_input: {}, job) => {
  for await (const one of job.before()) same<typeof one, Predecessor>(true);
  same<ReturnType<typeof job.commit<typeof database>>, void>(true);
});

// ── long jobs: what is saved, looped over and kept ──

interface Page {
  readonly next: string;
  readonly rows: readonly number[];
}
declare const pages: (from: string | undefined) => AsyncIterable<Page>;
const importing = task("importing", {
  input: z.object({ importId: z.string() }),
  checkpoint: z.object({ page: z.number() }),
  run: async ({ importId }, job) => {
    same<typeof importId, string>(true);
    same<typeof job, Job<{ page: number }>>(true);
    same<typeof job.checkpoint, { page: number } | undefined>(true);
    await job.save({ page: 1 });
    for await (const page of job.each(pages, { cursor: (each) => each.next })) same<typeof page, Page>(true);
    for await (const page of job.each((from?: string) => pages(from), { cursor: (each) => each.next, saveEvery: "5s", name: "again" }))
      same<typeof page, Page>(true);
    for await (const item of job.each([1, 2, 3])) same<typeof item, number>(true);
    for await (const item of job.each((done) => ["a", "b"].slice(done))) same<typeof item, string>(true);
    const paid = await job.step("pay", async (idempotencyKey) => (same<typeof idempotencyKey, string>(true), { cents: 100 }));
    same<typeof paid, { cents: number }>(true);
  },
});
same<typeof importing, Task<{ importId: string }>>(true);
task("anything", async (_: {}, job) => (same<typeof job, Job>(true), job.save({ any: ["json", 1, null] })));
task("bare", async (_: {}, job: Job<number>) => job.save((job.checkpoint ?? 0) + 1));

// ── versions and merged payloads ──

const upgraded = task("versioned", {
  input: z.object({ cents: z.number().transform(String) }),
  uniqueBy: "cents",
  version: 2,
  upgrade: (old: { euros: number }, from) => (same<typeof from, number>(true), { cents: old.euros * 100 }),
  ifTaken: { debounce: "1s", atMost: "5s", merge: (earlier, later) => (same<typeof earlier, { cents: string }>(true), later), most: 5 },
  run: (input) => same<typeof input, { cents: string }>(true),
});
same<typeof upgraded, Task<{ cents: number }>>(true);
task<{ id: string }>("unknown-before", { version: 2, upgrade: (old) => (same<typeof old, unknown>(true), { id: String(old) }), run: () => undefined });

// ── locks, leaders, tries and results ──

async function coordinated(): Promise<void> {
  await using lock = await work.lock("catalogue", { for: "30s" });
  same<typeof lock, HeldLock>(true);
  await work.lead("ticker", (leader) => same<typeof leader, Leader>(true), { signal: lock.signal });
  const tried = await work.tryNow(importing.with({ importId: "7" }), { timeout: "50ms" });
  same<typeof tried.state, "completed" | "skipped" | "cancelled" | "dead" | "later">(true);
  const { state, result } = await work.result(tried.id);
  same<typeof state, "completed" | "skipped" | "cancelled" | "dead" | "parked">(true);
  same<typeof result, unknown>(true);
}
void coordinated;

// ── events and what follows from them ──

const orderPlaced = event("order.placed", z.object({ orderId: z.string(), at: z.iso.datetime().transform((text) => new Date(text)) }), {
  orderedBy: "orderId",
});
same<typeof orderPlaced, DomainEvent<{ orderId: string; at: string }, { orderId: string; at: Date }>>(true);
same<ReturnType<typeof orderPlaced.with>, Fact>(true);
const noted: DomainEvent<{ id: string }> = event("noted", v.object({ id: v.string() }));

// An unmapped payload goes through as it was written: the task's input has to fit the event's, not its output.
same<ReturnType<typeof fits>, Subscription>(true);
function fits(): Subscription {
  when(orderPlaced, bare);
  when(orderPlaced, ofZod, { in: "5m", since: "beginning", name: "dated" });
  return when(noted, bare, { with: ({ id }) => (same<typeof id, string>(true), id === "" ? undefined : { orderId: id }) });
}
when(orderPlaced, written, { with: (placed) => (same<typeof placed, { orderId: string; at: Date }>(true), { id: placed.orderId }) });

// ── the broker ──

const errand = bare.with({ orderId: "7" });
const fact = noted.with({ id: "7" });
async function stored(): Promise<void> {
  same<Awaited<ReturnType<typeof one>>, Accepted>(true);
  same<Awaited<ReturnType<typeof many>>, Accepted[]>(true);
  same<Awaited<ReturnType<typeof published>>, Accepted>(true);
  const inTransaction = work.within(database);
  same<typeof inTransaction, SyncScope>(true);
  const [first] = inTransaction.enqueue([errand]);
  same<typeof first, Accepted | undefined>(true);
  const scope: Scope = work;
  await scope.publish([fact]);
}
const one = () => work.enqueue(errand);
const many = () => work.enqueue(["1", "2"].map((orderId) => bare.with({ orderId })) as readonly Errand[]);
const published = () => work.publish(fact);
void stored;

// A task may use the broker that knows it, also in what it answers.
const circular = task("circular", async ({ orderId }: Order) => work.enqueue(bare.with({ orderId })));
same<typeof circular, Task<Order>>(true);

// What follows giveUp is not reached.
task("narrowed", (input: { id?: string }) => {
  if (input.id === undefined) giveUp("nobody said which");
  const { id } = input;
  same<typeof id, string>(true);
});
