/** Debounce that accumulates (G6): payloads of one key are gathered in one waiting job, and merged in their order right before it runs. */
import { event } from "../../core/event.ts";
import { task, type Task } from "../../core/task.ts";
import { when } from "../../core/when.ts";
import { equal, refused } from "../expect.ts";
import { law, type Law } from "../law.ts";
import type { World } from "../world.ts";

interface Change {
  readonly doc: string;
  readonly ops: readonly string[];
}

function indexing(world: World, most?: number): Task<Change> {
  return task<Change>("index", {
    uniqueBy: "doc",
    ifTaken: {
      debounce: "2s",
      atMost: "10s",
      merge: (earlier, later) => ({ doc: later.doc, ops: [...earlier.ops, ...later.ops] }),
      ...(most !== undefined && { most }),
    },
    retry: { backoff: "fixed", first: "1s" },
    run: () => world.sleep("500ms"),
  });
}

const change = (op: string, doc: string = "a"): Change => ({ doc, ops: [op] });
const opsOf = (world: World): string[] => world.runs.map(({ input }) => (input as Change).ops.join(""));

export const gatherLaws: readonly Law[] = [
  law("G6", "gathered payloads reach one run, merged in the order of enqueue", async (world) => {
    const index = indexing(world);
    const { broker } = await world.worker({ index });
    const first = await broker.enqueue(index.with(change("x")));
    await world.advance("1s");
    const second = await broker.enqueue(index.with(change("y")));
    await world.advance("1s");
    const third = await broker.enqueue(index.with(change("z")));
    equal(
      [second, third].map(({ id, isDuplicate }) => [id === first.id, isDuplicate]),
      [
        [true, true],
        [true, true],
      ],
      "whether the later ones are the first",
    );
    await world.drained();
    equal(opsOf(world), ["xyz"], "the runs");
  }),
  law("G6", "a gathering job waits until it is quiet, and no longer than atMost", async (world) => {
    const index = indexing(world);
    const { broker } = await world.worker({ index });
    const from = world.now;
    for (let n = 0; n < 12; n++) {
      await broker.enqueue(index.with(change(String(n % 10))));
      await world.advance("1s");
    }
    await world.drained();
    const [first, second] = world.runs;
    equal([first?.startedAt, opsOf(world).join("")], [from + 10_000, "012345678901"], "when the first run started, and what all were given");
    equal(world.runs.length > 1 && (second?.startedAt ?? 0) >= from + 12_000, true, "that the rest waited for a quiet time of its own");
  }),
  law("G6", "a full job is due at once, and the next payload begins another", async (world) => {
    const index = indexing(world, 3);
    const { broker } = await world.worker({ index });
    const from = world.now;
    await broker.enqueue("abcde".split("").map((op) => index.with(change(op))));
    await world.until("two ran", () => world.runs.length === 2);
    equal(opsOf(world), ["abc", "de"], "the runs");
    equal(
      [(world.runs[0]?.startedAt ?? 0) - from < 1_000, (world.runs[1]?.startedAt ?? 0) - from >= 2_000],
      [true, true],
      "that the full one was first, at once, and the other waited",
    );
  }),
  law("G6", "what comes while a gathering job runs is gathered for the next", async (world) => {
    const index = indexing(world);
    const { broker } = await world.worker({ index });
    await broker.enqueue(index.with(change("a")));
    await world.until("it runs", () => world.runs.length === 1);
    await broker.enqueue([index.with(change("b")), index.with(change("c"))]);
    await world.drained();
    equal(opsOf(world), ["a", "bc"], "the runs");
  }),
  law("G6", "payloads of other keys are gathered apart", async (world) => {
    const index = indexing(world);
    const { broker } = await world.worker({ index });
    await broker.enqueue([index.with(change("x", "a")), index.with(change("y", "b")), index.with(change("z", "a"))]);
    await world.drained();
    equal(opsOf(world).toSorted(), ["xz", "y"], "the runs");
  }),
  law("G2", "a gathered job that fails runs again with all that it gathered", async (world) => {
    let tries = 0;
    const index = task<Change>("index", {
      uniqueBy: "doc",
      ifTaken: { debounce: "1s", atMost: "5s", merge: (earlier, later) => ({ doc: later.doc, ops: [...earlier.ops, ...later.ops] }) },
      retry: { backoff: "fixed", first: "1s" },
      run: () => {
        if (++tries === 1) throw new Error("not yet");
      },
    });
    const { broker } = await world.worker({ index });
    await broker.enqueue([index.with(change("x")), index.with(change("y"))]);
    await world.drained();
    equal(opsOf(world), ["xy", "xy"], "the runs");
  }),
  law("G10", "events are gathered too, though their publisher has none of the subscriber's code", async (world) => {
    const changed = event<Change>("changed");
    const index = indexing(world);
    const subscription = when(changed, index);
    await world.process({ subscription }).broker.open();
    const { broker } = world.process({});
    await broker.publish("abc".split("").map((op) => changed.with(change(op))));
    await world.worker({ subscription });
    await world.drained();
    equal(opsOf(world), ["abc"], "the runs");
  }),
  law("G18", "gathered payloads come back equal, in their order", async (world) => {
    interface Odd {
      readonly key: string;
      readonly list: readonly unknown[];
    }
    const odd = task<Odd>("odd" as never, {
      uniqueBy: "key",
      ifTaken: { debounce: "1s", atMost: "5s", merge: (earlier, later) => ({ key: later.key, list: [...earlier.list, ...later.list] }) },
      run: () => undefined,
    });
    const values = ["],[", '"],"', "\\", "[]", "{}", "\u2028", { "]": ["[", "]"] }, [], [[]], null, 0.1, "ünï 😀"];
    const { broker } = await world.worker({ odd });
    await broker.enqueue(values.map((value) => odd.with({ key: "k", list: [value] })));
    await world.drained();
    equal((world.runs[0]?.input as Odd | undefined)?.list, values, "what the run was given");
  }),
  law("G6", "an id for a gathered payload is refused, since it would not be remembered", async (world) => {
    const index = indexing(world);
    const { broker } = world.process({ index });
    await refused(() => broker.enqueue(index.with(change("x"), { id: "x-1" })), "option-invalid", "an id");
    equal((await world.observer.count()).scheduled, 0, "jobs");
  }),
];
