/** G15: what a job was enqueued on is compared with what is there, after the claim and right before the run. */
import { giveUp, skip, snooze } from "../../core/endings.ts";
import { task, type TaskDefinition } from "../../core/task.ts";
import { equal, matches, refused } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";

interface Invoice {
  readonly version: number;
  readonly status: string;
}
interface Books {
  invoice: Invoice | undefined;
  reads: number;
}
interface Ref {
  readonly id: string;
}

const books = (invoice?: Invoice): Books => ({ invoice, reads: 0 });
const open = { version: 7, status: "open" };
const reading =
  (from: Books) =>
  (_: Ref): Invoice | undefined => {
    from.reads++;
    return from.invoice;
  };

interface Change {
  readonly what: string;
  readonly expecting: Partial<Invoice>;
  readonly found: Invoice | undefined;
  readonly reason: string | undefined;
}
const changes: readonly Change[] = [
  { what: "holds", expecting: { version: 7 }, found: open, reason: undefined },
  { what: "has changed", expecting: { version: 7 }, found: { version: 9, status: "open" }, reason: "expected version 7, found 9" },
  {
    what: "has changed in two fields",
    expecting: { version: 7, status: "open" },
    found: { version: 9, status: "void" },
    reason: 'expected version 7, found 9; expected status "open", found "void"',
  },
  { what: "is gone", expecting: { version: 7 }, found: undefined, reason: "expected version 7, found nothing" },
];

const checked: readonly Law[] = [
  ...lawsOf(
    "G15",
    changes,
    (row) => `a premise that ${row.what}: ${row.reason === undefined ? "the job runs" : `skipped, "${row.reason}"`}`,
    async (world, row) => {
      const held = books(row.found);
      const charge = task("charge", { current: reading(held), run: (_: Ref) => undefined });
      const { broker } = await world.worker({ charge });
      const { id } = await broker.enqueue(charge.with({ id: "1" }, { expecting: row.expecting }));
      await world.drained();
      const job = await world.job(id);
      equal(
        [job.state, job.reason, world.runs.length],
        row.reason === undefined ? ["completed", undefined, 1] : ["skipped", row.reason, 0],
        "state, reason, runs",
      );
      equal(job.expecting, row.expecting, "what the job tells that it expected");
    },
  ),
  law("G15", "a premise is checked right before each run: one that breaks between two attempts skips the second", async (world) => {
    const held = books(open);
    const charge = task("charge", { retry: { attempts: 5, first: "10s" }, current: reading(held), run: (_: Ref) => Promise.reject(new Error("not now")) });
    const { broker } = await world.worker({ charge });
    const { id } = await broker.enqueue(charge.with({ id: "1" }, { expecting: { version: 7 } }));
    await world.advance("5s");
    held.invoice = { version: 8, status: "open" };
    await world.drained();
    const job = await world.job(id);
    equal([world.runs.length, job.state, job.reason], [1, "skipped", "expected version 7, found 8"], "runs, state, reason");
  }),
  law("G15", "a premise that broke while the job waited skips it", async (world) => {
    const held = books(open);
    const charge = task("charge", { current: reading(held), run: (_: Ref) => undefined });
    const { broker } = await world.worker({ charge });
    const { id } = await broker.enqueue(charge.with({ id: "1" }, { expecting: { version: 7 }, in: "10s" }));
    await world.advance("5s");
    equal(held.reads, 0, "looks at the record before it is due");
    held.invoice = undefined;
    await world.drained();
    equal([world.runs.length, await world.stateOf(id), held.reads], [0, "skipped", 1], "runs, state, looks");
  }),
  law("G15", "unless comes first, and spares the look at the record", async (world) => {
    const held = books(open);
    const charge = task("charge", { unless: () => "paid already", current: reading(held), run: (_: Ref) => undefined });
    const { broker } = await world.worker({ charge });
    const { id } = await broker.enqueue(charge.with({ id: "1" }, { expecting: { version: 8 } }));
    await world.drained();
    equal([(await world.job(id)).reason, held.reads], ["paid already", 0], "reason, looks");
  }),
  law("G15", "without a premise the run gets the record as it is, and none is missed", async (world) => {
    const held = books(open);
    let seen: unknown = "nothing yet";
    const charge = task("charge", { current: reading(held), run: (_: Ref, _job, current) => void (seen = current) });
    const { broker } = await world.worker({ charge });
    await broker.enqueue(charge.with({ id: "1" }));
    await world.drained();
    equal([seen, held.reads], [open, 1], "what the run got, and looks");
  }),
  law("G15", "a look that fails is a failed attempt, and is made again", async (world) => {
    const charge = task("charge", {
      retry: { attempts: 3, first: "1s" },
      current: async (_: Ref): Promise<Invoice> => {
        if (looks++ === 0) throw new Error("the database is away");
        return open;
      },
      run: () => undefined,
    });
    let looks = 0;
    const { broker } = await world.worker({ charge });
    const { id } = await broker.enqueue(charge.with({ id: "1" }, { expecting: { version: 7 } }));
    await world.drained();
    const job = await world.job(id);
    equal([job.state, job.attempts, world.runs.length, looks], ["completed", 2, 1, 2], "state, attempts, runs, looks");
  }),
  law("G15", "a job whose premise no worker here can check is left for one that can", async (world) => {
    const held = books(open);
    const charge = task("charge", { current: reading(held), run: (_: Ref) => undefined });
    const blind = task("charge", (_: Ref) => undefined);
    const { broker } = world.process({ charge });
    await world.worker({ blind });
    const { id } = await broker.enqueue(charge.with({ id: "1" }, { expecting: { version: 7 } }));
    await world.advance("10s");
    equal([world.runs.length, await world.stateOf(id)], [0, "scheduled"], "runs, and state, while only the blind worker is there");
    matches(await world.observer.why(id), /`current` of task "charge" is not defined here/, "why it waits");
    await world.worker({ charge });
    await world.drained("5m");
    equal([await world.stateOf(id), held.reads], ["completed", 1], "state, looks");
  }),
];

type Rule = NonNullable<TaskDefinition<Ref, Ref, Invoice>["ifStale"]>;
interface Decision {
  readonly what: string;
  readonly ifStale: Rule;
  readonly state: string;
  readonly reason: RegExp | undefined;
  readonly saw: readonly unknown[];
}
const found = { version: 9, status: "void" };
const decisions: readonly Decision[] = [
  { what: '"refresh" runs on what is there now', ifStale: "refresh", state: "completed", reason: undefined, saw: [found] },
  { what: '"skip" skips', ifStale: "skip", state: "skipped", reason: /^expected version 7, found 9$/, saw: [] },
  {
    what: "a conflict that returns lets it run on what is there now",
    ifStale: { conflict: () => undefined },
    state: "completed",
    reason: undefined,
    saw: [found],
  },
  {
    what: "a conflict may skip",
    ifStale: { conflict: (_, stale) => skip(`no longer open: ${stale.reason}`) },
    state: "skipped",
    reason: /^no longer open: expected version 7, found 9$/,
    saw: [],
  },
  {
    what: "a conflict may give up",
    ifStale: { conflict: (_, { expected, found: now }) => giveUp(`${expected.version} is ${now?.version}`) },
    state: "dead",
    reason: /^7 is 9$/,
    saw: [],
  },
  {
    what: "a conflict that fails has failed the attempt",
    ifStale: { conflict: () => Promise.reject(new Error("no idea")) },
    state: "dead",
    reason: /^no idea$/,
    saw: [],
  },
];

const stale: readonly Law[] = [
  ...lawsOf(
    "G15",
    decisions,
    (row) => `where the premise is stale, ${row.what}`,
    async (world, row) => {
      const held = books(found);
      const saw: unknown[] = [];
      const charge = task("charge", {
        retry: { attempts: 1 },
        current: reading(held),
        ifStale: row.ifStale,
        run: (_: Ref, _job, current) => void saw.push(current),
      });
      const { broker } = await world.worker({ charge });
      const { id } = await broker.enqueue(charge.with({ id: "1" }, { expecting: { version: 7 } }));
      await world.drained();
      const job = await world.job(id);
      equal([job.state, saw], [row.state, row.saw], "state, and what the run was given");
      if (row.reason) matches(job.reason, row.reason, "the reason");
    },
  ),
  law("G15", "a conflict may snooze, and the premise is checked again", async (world) => {
    const held = books(found);
    const charge = task("charge", { current: reading(held), ifStale: { conflict: () => snooze("10s") }, run: (_: Ref) => undefined });
    const { broker } = await world.worker({ charge });
    const { id } = await broker.enqueue(charge.with({ id: "1" }, { expecting: { version: 7 } }));
    await world.advance("5s");
    held.invoice = open;
    await world.drained();
    equal([await world.stateOf(id), world.runs.length, held.reads], ["completed", 1, 2], "state, runs, looks");
  }),
  law("G15", "a conflict hands over work, which is stored with the outcome that it chose", async (world) => {
    const notify = task("notify", () => undefined);
    const held = books(found);
    const charge = task("charge", {
      current: reading(held),
      ifStale: {
        conflict: (_input, _stale, job) => {
          job.enqueue(notify.with({}));
          skip("told them");
        },
      },
      run: (_: Ref) => undefined,
    });
    const { broker } = await world.worker({ charge, notify });
    await broker.enqueue(charge.with({ id: "1" }, { expecting: { version: 7 } }));
    await world.drained();
    equal(
      world.runs.map((run) => run.task),
      ["notify"],
      "runs",
    );
  }),
];

const misuse: readonly Law[] = [
  law("G15", "a premise that nothing could be compared with, or that says nothing, is refused where it is given", async () => {
    const bare = task("bare", (_: Ref) => undefined);
    const charge = task("charge", { current: (_: Ref): Invoice => open, run: () => undefined });
    await refused(() => bare.with({ id: "1" }, { expecting: { version: 7 } as never }), "option-invalid", "a task without current");
    await refused(() => charge.with({ id: "1" }, { expecting: {} }), "option-invalid", "an empty premise");
    await refused(() => charge.with({ id: "1" }, { expecting: { at: 1n } as never }), "payload-not-json", "a premise that is no JSON");
    await refused(() => charge.with({ id: "1" }, { expecting: { status: "x".repeat(5_000) } }), "payload-too-large", "a premise above 4 KiB");
    await refused(() => task("rule", { ifStale: "skip", run: () => undefined }), "definition-invalid", "ifStale without current");
    await refused(() => task("rule", { current: () => 1, ifStale: "ignore" as never, run: () => undefined }), "option-invalid", "a rule that there is not");
    await refused(() => task("rule", { current: () => 1, ifStale: {} as never, run: () => undefined }), "option-invalid", "a conflict without a function");
  }),
];

export const guardLaws: readonly Law[] = [...checked, ...stale, ...misuse];
