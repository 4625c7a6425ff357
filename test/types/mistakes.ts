/**
 * Mistakes that the compiler finds, each under its claim. mistakes.snapshot.txt holds what it says of them; mistakes.test.ts compares.
 * A mistake that compiles, or a message that no longer reads well, is a bug of the types.
 */
/* oxlint-disable typescript/no-floating-promises -- nothing of this is ever run */
import * as z from "zod";
import { batch, broker, chain, event, every, giveUp, reconcile, snooze, task, when, type Broker, type Job, type Task } from "../../src/index.ts";
import { testBroker } from "../../src/testing/index.ts";

// What the mistakes are made with.
const orderPlaced = event("order.placed", z.object({ orderId: z.string(), total: z.number() }));
const orderId = z.object({ orderId: z.string() });
const sendReceipt = task("send-receipt", { input: orderId, run: () => undefined });
const charge = task("charge", { input: z.object({ invoiceId: z.string(), cents: z.number() }), run: () => undefined });
const ping = task("ping", () => undefined);
const invoice = task("invoice", { input: z.object({ id: z.string() }), current: () => record, run: () => undefined });
declare const record: { readonly version: number; readonly status: "open" | "void"; readonly dueAt: Date };
const work: Broker = broker("memory:", { sendReceipt });
declare const order: { readonly orderId: string; readonly total: number; readonly customer: { readonly email: string } };
declare const expectsId: (wanted: Task<{ id: string }>) => void;
declare const job: Job;
declare const pages: (from?: string) => AsyncIterable<{ readonly next: string; readonly rows: readonly number[] }>;
declare const pool: { query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>; readonly totalCount: number };
declare const kysely: { readonly isTransaction: boolean; getExecutor(): unknown };
declare const prisma: { $queryRawUnsafe(text: string, ...values: unknown[]): Promise<unknown>; $connect(): Promise<void> };
declare const dataSource: { query(text: string, values?: unknown[]): Promise<never>; readonly isInitialized: boolean };
declare const database: { prepare(sql: string): { run(...values: never[]): unknown }; exec(sql: string): unknown };

// ── payloads ──

// mistake: a Date in a task's schema
task("remind", { input: z.object({ id: z.string(), at: z.date() }), run: () => undefined });

// mistake: a Date in run's annotation
task("remind", (input: { id: string; at: Date }) => input);

// mistake: a Map in an event's payload
event("cart.left", z.object({ items: z.map(z.string(), z.number()) }));

// mistake: a bigint deep in a payload
event("paid", z.object({ sum: z.object({ cents: z.bigint() }) }));

// mistake: a whole record as payload
sendReceipt.with(order);

// mistake: a whole record as an event's payload
orderPlaced.with(order);

// mistake: a field too much, written out
sendReceipt.with({ orderId: "7", total: 12 });

// mistake: a field is missing
charge.with({ invoiceId: "7" });

// mistake: a field of another type
sendReceipt.with({ orderId: 7 });

// mistake: a misspelt field
sendReceipt.with({ orderID: "7" });

// mistake: a payload for a task that takes none
ping.with({ orderId: "7" });

// mistake: no payload at all
sendReceipt.with();

// mistake: a pointer alone in place of an object
sendReceipt.with("7");

// ── definitions ──

// mistake: a misspelt option of a task
task("a", { input: orderId, orderBy: "orderId", run: () => undefined });

// mistake: a task without run
task("a", { input: orderId });

// mistake: a check that answers true in place of a reason
task("a", { input: orderId, unless: () => true, run: () => undefined });

// mistake: a number as duration
task("a", { run: () => undefined, timeout: 600 });

// mistake: a duration in words
task("a", { run: () => undefined, timeout: "10 minutes" });

// mistake: an unknown priority
task("a", { run: () => undefined, priority: "urgent" });

// mistake: an unknown backoff
task("a", { run: () => undefined, retry: { backoff: "linear" } });

// mistake: attempts as text
task("a", { run: () => undefined, retry: { attempts: "3" } });

// mistake: a misspelt option of retry
task("a", { run: () => undefined, retry: { atempts: 3 } });

// mistake: ordered by a field that is not there
task("a", { input: orderId, orderedBy: "accountId", run: () => undefined });

// mistake: ordered by a field that is an object
task("a", { input: z.object({ owner: z.object({ id: z.string() }) }), orderedBy: "owner", run: () => undefined });

// mistake: ordered by a field that may be missing
task("a", { input: z.object({ accountId: z.string().optional() }), orderedBy: "accountId", run: () => undefined });

// mistake: unique by two fields, one of them misspelt
task("a", { input: z.object({ from: z.string(), to: z.string() }), uniqueBy: ["from", "too"], run: () => undefined });

// mistake: a key as a function
task("a", { input: orderId, orderedBy: (input: { orderId: string }) => input.orderId, run: () => undefined });

// mistake: a word that no dead job knows
task("a", { input: orderId, orderedBy: "orderId", ifDead: "skip", run: () => undefined });

// mistake: a debounce without its end
task("a", { input: orderId, uniqueBy: "orderId", ifTaken: { debounce: "5s" }, run: () => undefined });

// mistake: a retention for a state that does not end
task("a", { run: () => undefined, keep: { parked: "1d" } });

// mistake: a field that run's input does not have
task("a", { input: orderId, run: ({ id }) => id });

// mistake: a field of an input that nobody described
task("a", ({ id }) => id);

// mistake: a second parameter that is no job
task("a", (input: { id: string }, done: () => void) => done());

// mistake: a shape in place of a schema
task("a", { input: { orderId: "string" }, run: () => undefined });

// mistake: a name that is no text
task(7, () => undefined);

// mistake: an event ordered by a field that is not there
event("moved", orderId, { orderedBy: "accountId" });

// mistake: a task where a task with another input is wanted
expectsId(sendReceipt);

// ── enqueue and publish ──

// mistake: a task in place of an errand
work.enqueue(sendReceipt);

// mistake: a fact enqueued
work.enqueue(orderPlaced.with({ orderId: "7", total: 1 }));

// mistake: an errand published
work.publish(sendReceipt.with({ orderId: "7" }));

// mistake: an event in place of a fact
work.publish(orderPlaced);

// mistake: errands and facts in one list
work.enqueue([sendReceipt.with({ orderId: "7" }), orderPlaced.with({ orderId: "7", total: 1 })]);

// mistake: a task's name and a payload, as elsewhere
work.enqueue("send-receipt", { orderId: "7" });

// mistake: an errand made by hand
work.enqueue({ kind: "errand", name: "send-receipt" });

// mistake: an option that errands do not have
sendReceipt.with({ orderId: "7" }, { delay: "10m" });

// mistake: a Date as delay
sendReceipt.with({ orderId: "7" }, { in: new Date() });

// mistake: an instant as text
sendReceipt.with({ orderId: "7" }, { at: "2026-12-24T18:00:00Z" });

// mistake: a number as id
sendReceipt.with({ orderId: "7" }, { id: 7 });

// mistake: the id of one errand where a list was stored
work.enqueue([sendReceipt.with({ orderId: "7" })]).then(({ id }) => id);

// ── batches, chains and what comes after ──

// mistake: tasks in a batch
batch([sendReceipt]);

// mistake: a fact in a batch
batch([orderPlaced.with({ orderId: "7", total: 1 })]);

// mistake: the errands of a batch one by one
batch(ping.with({}), sendReceipt.with({ orderId: "7" }));

// mistake: a misspelt callback
batch([ping.with({})], { whenAllSuceed: ping.with({}) });

// mistake: a task as callback
batch([ping.with({})], { whenAllEnd: ping });

// mistake: a function as callback
batch([ping.with({})], { whenAllEnd: () => ping.with({}) });

// mistake: a chain without a step
chain();

// mistake: the steps of a chain as a list
chain([ping.with({}), sendReceipt.with({ orderId: "7" })]);

// mistake: after a task
sendReceipt.with({ orderId: "7" }, { after: ping });

// mistake: after a number
sendReceipt.with({ orderId: "7" }, { after: [7] });

// ── premises and results ──

// mistake: a premise for a task that has nothing to compare it with
sendReceipt.with({ orderId: "7" }, { expecting: { version: 7 } });

// mistake: a premise of a field that is not there
invoice.with({ id: "7" }, { expecting: { verson: 7 } });

// mistake: a premise of another type
invoice.with({ id: "7" }, { expecting: { version: "7" } });

// mistake: a premise that JSON cannot hold
invoice.with({ id: "7" }, { expecting: { dueAt: new Date() } });

// mistake: a rule for stale premises that there is not
task("a", { input: orderId, current: () => record, ifStale: "retry", run: () => undefined });

// mistake: a conflict that reads a field which the record does not have
task("a", { input: orderId, current: () => record, ifStale: { conflict: (_input, { found }) => found?.total }, run: () => undefined });

// mistake: a run that reads a field which the record does not have
task("a", { input: orderId, current: () => record, run: (_input, _job, current) => current?.total });

// mistake: a run that takes the record for granted
task("a", { input: orderId, current: () => record, run: (_input, _job, current) => current.version });

// mistake: a run that takes the record before the task says how to read it
task("a", { input: orderId, run: (_input, _job, current) => current, current: ({ orderId: id }) => ({ id }) });

// mistake: a result that run does not return
task("a", { input: orderId, result: z.object({ pages: z.number() }), run: () => ({ page: 1 }) });

// mistake: a result that is forgotten on one way out
task("a", { input: orderId, result: z.object({ pages: z.number() }), run: ({ orderId: id }) => (id === "" ? undefined : { pages: 1 }) });

// mistake: a pool given to a job's commit
job.commit(pool);

// mistake: a commit without a transaction
job.commit();

// mistake: a fact added to a batch
job.add(orderPlaced.with({ orderId: "7", total: 1 }));

// mistake: what a job came after, taken for a list
job.before().map(({ result }) => result);

// mistake: a batch taken for its members
work.batch("7").then((found) => found?.members);

// ── subscriptions ──

// mistake: a payload that does not fit the task, without a mapping
when(orderPlaced, charge);

// mistake: a mapping that leaves a field out
when(orderPlaced, charge, { with: (placed) => ({ invoiceId: placed.orderId }) });

// mistake: a mapping to another type
when(orderPlaced, charge, { with: ({ orderId, total }) => ({ invoiceId: orderId, cents: `${total}` }) });

// mistake: a mapping from a field that the event does not have
when(orderPlaced, sendReceipt, { with: ({ id }) => ({ orderId: id }) });

// mistake: the task before the event
when(sendReceipt, orderPlaced);

// mistake: a beginning that is not there
when(orderPlaced, sendReceipt, { since: "start" });

// mistake: an errand in place of its task
when(orderPlaced, sendReceipt.with({ orderId: "7" }));

// ── within a run ──

// mistake: giving up without a reason
giveUp();

// mistake: a number of milliseconds to snooze
snooze(5_000);

// mistake: a task handed to the job
job.enqueue(sendReceipt);

// mistake: an errand published by the job
job.publish(sendReceipt.with({ orderId: "7" }));

// mistake: a job that is written to
job.attempt = 1;

// ── long jobs, versions, merged payloads ──

// mistake: a Date as checkpoint
task("a", { checkpoint: z.object({ at: z.date() }), run: () => undefined });

// mistake: a checkpoint that is saved as something else
task("a", { checkpoint: z.string(), run: async (_: {}, run) => run.save(7) });

// mistake: a checkpoint that is no schema
task("a", { checkpoint: "page", run: () => undefined });

// mistake: the place of a loop without the cursor that tells it
job.each((from?: string) => pages(from));

// mistake: a cursor of another type than the place
job.each((from?: string) => pages(from), { cursor: (page) => page.rows.length });

// mistake: a loop over something that has no items
job.each(7);

// mistake: a step without a name
job.step(() => 1);

// mistake: an upgrade that answers something else than the input
task("a", { input: orderId, version: 2, upgrade: () => ({ order: "7" }), run: () => undefined });

// mistake: a version as text
task("a", { version: "2", run: () => undefined });

// mistake: a merge that answers something else than the input
task("a", { input: orderId, uniqueBy: "orderId", ifTaken: { debounce: "1s", atMost: "5s", merge: () => 7 }, run: () => undefined });

// mistake: a debounce without a deadline
task("a", { input: orderId, uniqueBy: "orderId", ifTaken: { debounce: "1s" }, run: () => undefined });

// ── locks, tries and results ──

// mistake: a lock for no time
work.lock("catalogue");

// mistake: a misspelt option of a lock
work.lock("catalogue", { for: "30s", waits: "1m" });

// mistake: a number of seconds to hold it
work.lock("catalogue", { for: 30 });

// mistake: a lock's mode that is none
work.lock("catalogue", { for: "30s", mode: "exclusive" });

// mistake: a leader that nobody gave anything to do
work.lead("ticker");

// mistake: a try without a time
work.tryNow(sendReceipt.with({ orderId: "7" }));

// mistake: a task in place of an errand, to try
work.tryNow(sendReceipt, { timeout: "50ms" });

// mistake: an event that is tried
work.tryNow(orderPlaced.with({ orderId: "7", total: 1 }), { timeout: "50ms" });

// mistake: a result waited for in milliseconds
work.result("7", { within: 5_000 });

// ── the broker ──

// mistake: a broker without a store
broker();

// mistake: a bare task as definitions
broker("memory:", sendReceipt);

// mistake: an option that brokers do not have
broker({ store: "memory:", logger: console });

// mistake: a pool in place of a transaction
work.within(pool);

// mistake: the root of Kysely in place of a transaction
work.within(kysely);

// mistake: the client of Prisma in place of a transaction
work.within(prisma);

// mistake: a DataSource of TypeORM in place of a transaction
work.within(dataSource);

// mistake: a promise expected where a synchronous transaction answers at once
work.within(database).enqueue(sendReceipt.with({ orderId: "7" })).then(() => undefined);

// mistake: hands as text
work.start({ queues: { mail: "5" } });

// mistake: an option that workers do not have
work.start({ concurrency: 5 });

// mistake: a queue's name where a choice is wanted
work.pause("mail");

// mistake: a state that no job has
work.list({ states: ["failed"] });

// mistake: a misspelt filter
work.list({ state: "dead" });

// mistake: a change without its reason
work.change({ ids: ["7"] }, { do: "cancel" });

// mistake: a fact asserted as enqueued
testBroker({ sendReceipt }).assertEnqueued(orderPlaced.with({ orderId: "7", total: 1 }));

// mistake: time as a number
testBroker({ sendReceipt }).advance(60_000);

// ── schedules and reconciliation ──

// mistake: a misspelt day
every("dayly at 03:00", ping.with({}));

// mistake: a rhythm in words
every("10 minutes", ping.with({}));

// mistake: a rhythm as a number
every(60_000, ping.with({}));

// mistake: a task where its errand is wanted
every("1h", ping);

// mistake: a misspelt policy
every("1h", ping.with({}), { missed: "run-one" });

// mistake: an edit that schedules do not have
work.schedule("ping").edit({ cron: "0 3 * * *" });

// mistake: a reconciliation that finds nothing
reconcile(sendReceipt, { every: "5m" });

// mistake: rows where inputs are wanted
reconcile(sendReceipt, { every: "5m", find: async () => [{ id: "7" }] });

// mistake: an array that nobody waited for
reconcile(sendReceipt, { every: "5m", find: () => [{ orderId: "7" }] });

// mistake: an async generator of other rows
reconcile(sendReceipt, {
  every: "5m",
  find: async function* () {
    yield { orderId: 7 };
  },
});

// mistake: a pace without its time
reconcile(sendReceipt, { every: "5m", find: async () => [], pace: { starts: 200 } });
