/** G1: a mistake is refused where it is made, by name, with its cure, and nothing is stored. */
import type { Broker } from "../../core/brokerFace.ts";
import type { ErrorCode } from "../../core/errors.ts";
import { event } from "../../core/event.ts";
import { task } from "../../core/task.ts";
import { when } from "../../core/when.ts";
import { equal, holds, matches, refused } from "../expect.ts";
import { law, lawsOf, type Law } from "../law.ts";

const work = task<{ n: number }>("work", () => undefined);
const keyed = task<{ key: string }>("keyed", { orderedBy: "key", run: () => undefined });
const single = task<{ key: string }>("single", { uniqueBy: "key", run: () => undefined });
const happened = event<{ n: number }>("happened");
const run = (): undefined => undefined;

interface Misuse {
  readonly what: string;
  readonly make: (broker: Broker) => unknown;
  readonly code: ErrorCode;
  /** What the message must name: the place and the cure. */
  readonly says: RegExp;
}
/** What a JavaScript caller can do, and a TypeScript one by force. */
const any = (value: unknown): never => value as never;

const misuses: readonly Misuse[] = [
  {
    what: "a misspelt option of with",
    make: (broker) => broker.enqueue(work.with({ n: 1 }, any({ priorty: "low" }))),
    code: "option-unknown",
    says: /"priorty".*did you mean "priority"/,
  },
  {
    what: "a delay that is a number",
    make: (broker) => broker.enqueue(work.with({ n: 1 }, any({ in: 600 }))),
    code: "option-invalid",
    says: /work\.with\.in.*"10m"/,
  },
  {
    what: "a delay in words",
    make: (broker) => broker.enqueue(work.with({ n: 1 }, any({ in: "10 minutes" }))),
    code: "option-invalid",
    says: /work\.with\.in.*10 minutes/,
  },
  { what: "a negative delay", make: (broker) => broker.enqueue(work.with({ n: 1 }, { in: "-5m" })), code: "option-invalid", says: /work\.with\.in/ },
  { what: "a delay above ten years", make: (broker) => broker.enqueue(work.with({ n: 1 }, { in: "5000d" })), code: "option-invalid", says: /ten years/ },
  {
    what: "an invalid Date",
    make: (broker) => broker.enqueue(work.with({ n: 1 }, { at: new Date("no") })),
    code: "option-invalid",
    says: /work\.with\.at.*valid Date/,
  },
  {
    what: "both in and at",
    make: (broker) => broker.enqueue(work.with({ n: 1 }, { in: "1s", at: new Date(0) })),
    code: "option-invalid",
    says: /both in and at/,
  },
  {
    what: "an unknown priority",
    make: (broker) => broker.enqueue(work.with({ n: 1 }, any({ priority: "urgent" }))),
    code: "option-invalid",
    says: /priority.*"high"/,
  },
  { what: "an id with a space", make: (broker) => broker.enqueue(work.with({ n: 1 }, { id: "a b" })), code: "name-invalid", says: /work\.with\.id/ },
  { what: "an empty id", make: (broker) => broker.enqueue(work.with({ n: 1 }, { id: "" })), code: "name-invalid", says: /id/ },
  { what: "an id of 201 characters", make: (broker) => broker.enqueue(work.with({ n: 1 }, { id: "x".repeat(201) })), code: "name-invalid", says: /200/ },
  { what: "a task instead of an errand", make: (broker) => broker.enqueue(any(work)), code: "option-invalid", says: /enqueue.*the task "work".*with\(input\)/ },
  { what: "nothing at all", make: (broker) => broker.enqueue(any(undefined)), code: "option-invalid", says: /enqueue/ },
  {
    what: "a fact instead of an errand",
    make: (broker) => broker.enqueue(any(happened.with({ n: 1 }))),
    code: "option-invalid",
    says: /enqueue.*the fact .*published/,
  },
  {
    what: "an errand instead of a fact",
    make: (broker) => broker.publish(any(work.with({ n: 1 }))),
    code: "option-invalid",
    says: /publish.*the errand .*enqueued/,
  },
  {
    what: "a task that the broker does not know",
    make: (broker) => broker.enqueue(task<{}>("wrok", run).with({})),
    code: "task-unknown",
    says: /"wrok".*did you mean "work"/,
  },
  { what: "a payload without the field of orderedBy", make: (broker) => broker.enqueue(keyed.with(any({}))), code: "key-missing", says: /"key".*orderedBy/ },
  { what: "a key that is no scalar", make: (broker) => broker.enqueue(single.with(any({ key: {} }))), code: "key-missing", says: /"key".*uniqueBy/ },
  { what: "a misspelt option of list", make: (broker) => broker.list({}, any({ limt: 1 })), code: "option-unknown", says: /"limt".*did you mean "limit"/ },
  { what: "an unknown state in a filter", make: (broker) => broker.list(any({ states: ["waiting"] })), code: "option-invalid", says: /states.*ready/ },
  { what: "an unknown option of start", make: (broker) => broker.start(any({ concurrency: 5 })), code: "option-unknown", says: /"concurrency".*queues/ },
  { what: "a queue with no hands", make: (broker) => broker.start({ queues: { default: 0 } }), code: "option-invalid", says: /queues\.default/ },
  { what: "pausing nothing", make: (broker) => broker.pause(any({})), code: "option-invalid", says: /queue.*task/ },
  { what: "pausing a queue and a task in one call", make: (broker) => broker.pause(any({ queue: "a", task: "b" })), code: "option-invalid", says: /either/ },
  { what: "a task name with a space", make: () => task<{}>("send receipt", run), code: "name-invalid", says: /"send receipt"/ },
  { what: "a task without run", make: () => task<{}>("work", any({})), code: "definition-invalid", says: /run/ },
  {
    what: "a misspelt option of task",
    make: () => task<{ key: string }>("work", any({ orderdBy: "key", run })),
    code: "option-unknown",
    says: /"orderdBy".*did you mean "orderedBy"/,
  },
  { what: "ifDead without orderedBy", make: () => task<{}>("work", { ifDead: "block", run }), code: "definition-invalid", says: /ifDead without orderedBy/ },
  { what: "ifTaken without uniqueBy", make: () => task<{}>("work", { ifTaken: "replace", run }), code: "definition-invalid", says: /ifTaken without uniqueBy/ },
  {
    what: "a debounce that is longer than its deadline",
    make: () => task<{ key: string }>("work", { uniqueBy: "key", ifTaken: { debounce: "1m", atMost: "1s" }, run }),
    code: "option-invalid",
    says: /atMost/,
  },
  { what: "zero attempts", make: () => task<{}>("work", { retry: { attempts: 0 }, run }), code: "option-invalid", says: /attempts/ },
  { what: "a schema that is none", make: () => task<{}>("work", { input: any({}), run }), code: "option-invalid", says: /Standard Schema/ },
  { what: "subscribing to a task", make: () => (when as (event: unknown, task: unknown) => unknown)(work, work), code: "option-invalid", says: /event\(/ },
  {
    what: "subscribing an event",
    make: () => (when as (event: unknown, task: unknown) => unknown)(happened, happened),
    code: "option-invalid",
    says: /task\(/,
  },
];

export const misuseLaws: readonly Law[] = [
  ...lawsOf(
    "G1",
    misuses,
    (row) => `${row.what} is refused with ${row.code}, the place and the cure, and stores nothing`,
    async (world, row) => {
      const { broker } = world.process({ work, keyed, single });
      const error = await refused(async () => row.make(broker), row.code, row.what);
      equal(error.isDefinite, true, "whether it is definite");
      matches(error.message, row.says, "the message");
      equal(
        Object.values(await world.observer.count()).reduce((sum, jobs) => sum + jobs, 0),
        0,
        "jobs stored",
      );
    },
  ),
  law("G1", "two definitions of one name are refused", async (world) => {
    const twin = task<{ n: number }>("work", run);
    const error = await refused(async () => world.process({ work, twin }), "name-taken", "a broker with both");
    matches(error.message, /"work".*rename/, "the message");
  }),
  law("G1", "a bare task in place of a module of definitions is refused", async (world) => {
    holds((await refused(async () => world.process(any(work)), "option-invalid", "a broker")).isDefinite, "it is definite");
  }),
  law("G1", "a second worker of one broker is refused", async (world) => {
    const { broker } = await world.worker({ work });
    await refused(() => broker.start(), "worker-running", "a second start");
  }),
];
