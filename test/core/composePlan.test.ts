/** What a call of batches, chains and `after` comes to, before anything is stored. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { batch } from "../../src/core/compose/batch.ts";
import { chain } from "../../src/core/compose/chain.ts";
import type { Plan } from "../../src/core/compose/plan.ts";
import { Definitions } from "../../src/core/definitions.ts";
import type { NewWork } from "../../src/core/engine.ts";
import { ErrandError, type ErrorCode } from "../../src/core/errors.ts";
import { Planner } from "../../src/core/plan.ts";
import { task, type Errand } from "../../src/core/task.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";

const step = task<{ n: string }>("step", () => undefined);

const s = (n: string, options: Parameters<typeof step.with>[1] = {}): Errand => step.with({ n }, options);

function plan(...errands: readonly Errand[]): Plan {
  return new Planner(new Definitions([{ step }]), new VirtualRuntime()).planNow(errands);
}

/** `n` of a job, or the name of a join, by its id; so that plans read. */
function names(works: readonly NewWork[]): Map<string, string> {
  let joins = 0;
  return new Map(
    works.map((work) => [
      work.id,
      work.kind === "job" ? (JSON.parse(work.payload) as { n: string }).n : `${work.kind === "join" ? work.name : "event"}${++joins}`,
    ]),
  );
}

/** "b in batch1 after well a". */
function drawn({ works }: Plan): string[] {
  const named = names(works);
  const nameOf = (id: string): string => named.get(id) ?? `stored ${id}`;
  return works.map((work) => {
    if (work.kind === "event") return "event";
    const after = (work.after ?? []).map(({ id, when }) => `${when} ${nameOf(id)}`);
    return [
      nameOf(work.id),
      ...(work.join === undefined ? [] : [`in ${nameOf(work.join)}`]),
      ...(after.length === 0 ? [] : [`after ${after.join(", ")}`]),
    ].join(" ");
  });
}

const [a, b, c, d] = [s("a"), s("b"), s("c"), s("d")];

interface Drawing {
  readonly what: string;
  readonly given: readonly Errand[];
  readonly stored: readonly string[];
}
const drawings: readonly Drawing[] = [
  { what: "a batch", given: [batch([a, b])], stored: ["batch1", "a in batch1", "b in batch1"] },
  { what: "an empty batch", given: [batch([], { whenAllSucceed: c })], stored: ["batch1", "c after well batch1"] },
  {
    what: "a batch with each callback",
    given: [batch([a], { whenAllSucceed: b, whenAnyFails: c, whenAllEnd: d, name: "month" })],
    stored: ["month1", "a in month1", "b after well month1", "c after badly month1", "d after ended month1"],
  },
  { what: "a chain", given: [chain(a, b, c)], stored: ["chain1", "a in chain1", "b in chain1 after well a", "c in chain1 after well b"] },
  {
    what: "a chain with a batch in its middle",
    given: [chain(a, batch([b, c]), d)],
    stored: ["chain1", "a in chain1", "batch2 in chain1 after well a", "b in batch2", "c in batch2", "d in chain1 after well batch2"],
  },
  {
    what: "a batch within a batch, whose callback is a member of the outer one",
    given: [batch([batch([a], { whenAllSucceed: b }), c], { whenAllEnd: d })],
    stored: ["batch1", "batch2 in batch1", "a in batch2", "b in batch1 after well batch2", "c in batch1", "d after ended batch1"],
  },
  {
    what: "a batch whose callback is a chain",
    given: [batch([a], { whenAnyFails: chain(b, c) })],
    stored: ["batch1", "a in batch1", "chain2 after badly batch1", "b in chain2", "c in chain2 after well b"],
  },
  {
    what: "a graph, stored in an order in which each stands behind what it comes after",
    given: [batch([s("d", { after: [b, c] }), s("e", { after: b }), b, c])],
    stored: ["batch1", "b in batch1", "c in batch1", "d in batch1 after well b, well c", "e in batch1 after well b"],
  },
  { what: "a batch that comes after a job", given: [batch([a], { after: b }), b], stored: ["b", "batch1 after well b", "a in batch1"] },
  { what: "a job after what is stored", given: [s("x", { after: "7" })], stored: ["x after well stored 7"] },
  { what: "a job after an id of the same call", given: [s("x", { after: "7" }), s("y", { id: "7" })], stored: ["y", "x after well y"] },
  {
    what: "a job after an errand that was written twice",
    given: [batch([a, a, s("x", { after: a })])],
    stored: ["batch1", "a in batch1", "a in batch1", "x in batch1 after well a, well a"],
  },
  { what: "a chain of one", given: [chain(a)], stored: ["chain1", "a in chain1"] },
  {
    what: "a step that comes after something else as well",
    given: [batch([a, chain(b, s("x", { after: a }))])],
    stored: ["batch1", "a in batch1", "chain2 in batch1", "b in chain2", "x in chain2 after well b, well a"],
  },
];

describe("a call is stored as", () => {
  for (const { what, given, stored } of drawings) it(what, () => assert.deepEqual(drawn(plan(...given)), stored));
});

describe("ids", () => {
  it("of members and callbacks hang on the batch's id and their place alone", () => {
    const make = (): Errand => batch([a, chain(b, c)], { id: "month", whenAllEnd: d });
    const [one, other] = [plan(make()), plan(make())];
    assert.deepEqual(one.works, other.works);
    assert.equal(new Set(one.works.map(({ id }) => id)).size, one.works.length);
    const another = plan(batch([a, chain(b, c)], { id: "another", whenAllEnd: d }));
    assert.equal(new Set([...one.works, ...another.works].map(({ id }) => id)).size, 2 * one.works.length);
  });

  it("are remembered with a batch that was given one, and its content tells members apart", () => {
    const contents = [
      batch([a], { id: "x" }),
      batch([b], { id: "x" }),
      batch([a, a], { id: "x" }),
      batch([a], { id: "x", whenAllEnd: a }),
      batch([batch([a])], { id: "x" }),
    ].map((given) => plan(given).works);
    assert.equal(new Set(contents.map(([join]) => (join?.kind === "join" ? join.content : ""))).size, contents.length);
    for (const works of contents) assert.ok(works.every((work) => work.content !== "" && work.rememberMs > 0));
    assert.ok(plan(batch([a])).works.every((work) => work.content === "" && work.rememberMs === 0));
  });

  it("given to members stand", () => {
    assert.deepEqual(plan(batch([s("a", { id: "mine" })])).works[1]?.id, "mine");
  });

  it("of the errands of a call are answered in their order", () => {
    const made = plan(batch([a], { after: c }), b, c);
    const named = names(made.works);
    assert.deepEqual(
      (made.answers ?? []).map((index) => named.get(made.works[index]?.id ?? "")),
      ["batch1", "b", "c"],
    );
  });
});

interface Mistake {
  readonly what: string;
  readonly make: () => unknown;
  readonly code: ErrorCode;
  readonly says: RegExp;
}
const x = s("x", { id: "x", after: "y" });
const y = s("y", { id: "y", after: "x" });
const mistakes: readonly Mistake[] = [
  {
    what: "an errand that is not in the call",
    make: () => plan(s("x", { after: a })),
    code: "after-unknown",
    says: /step comes after the errand step, which is not in the same call/,
  },
  { what: "jobs that come after each other by their ids", make: () => plan(x, y), code: "graph-cycle", says: /step x waits for step y waits for step x/ },
  { what: "a job that comes after itself", make: () => plan(s("x", { id: "x", after: "x" })), code: "graph-cycle", says: /step x waits for step x/ },
  {
    what: "a member that comes after its own batch",
    make: () => plan(batch([s("x", { after: "mine" })], { id: "mine" })),
    code: "graph-cycle",
    says: /waits for batch mine/,
  },
  {
    what: "a member that comes after the callback of its batch",
    make: () => plan(batch([s("x", { after: b })], { whenAllEnd: b })),
    code: "graph-cycle",
    says: /waits for/,
  },
  { what: "a chain against the order of after", make: () => plan(chain(s("x", { after: b }), b)), code: "graph-cycle", says: /waits for/ },
  { what: "a batch that comes after its own member", make: () => plan(batch([a], { after: a })), code: "graph-cycle", says: /waits for/ },
  { what: "a batch of what is no errand", make: () => batch([step as never]), code: "option-invalid", says: /batch\[0\]/ },
  { what: "a batch of no list", make: () => batch(a as never), code: "option-invalid", says: /array of errands/ },
  { what: "a callback that is no errand", make: () => batch([a], { whenAllEnd: step as never }), code: "option-invalid", says: /batch\.whenAllEnd/ },
  { what: "a misspelt callback", make: () => batch([a], { whenAllSucced: b } as never), code: "option-unknown", says: /whenAllSucceed/ },
  { what: "an empty chain", make: () => (chain as (...steps: Errand[]) => Errand)(), code: "option-invalid", says: /chain\[0\]/ },
  { what: "after a task", make: () => s("x", { after: step as never }), code: "option-invalid", says: /step\.with\.after/ },
  { what: "after an id with a space", make: () => s("x", { after: "a b" }), code: "name-invalid", says: /cannot be an id/ },
  {
    what: "after too many",
    make: () => s("x", { after: Array.from({ length: 501 }, (_, index) => `j${index}`) }),
    code: "option-invalid",
    says: /at most 500/,
  },
  {
    what: "a batch that is too large",
    make: () => batch(Array.from({ length: 100_001 }, () => a)),
    code: "enqueue-too-many",
    says: /100001 errands, of 100000/,
  },
  {
    what: "batches too deep in one another",
    make: () => plan(Array.from({ length: 102 }).reduce<Errand>((inner) => batch([inner]), a)),
    code: "option-invalid",
    says: /deeper than 100/,
  },
  {
    what: "a task that the broker does not know, deep in a batch",
    make: () => plan(batch([batch([task("stranger", () => undefined).with({})])])),
    code: "task-unknown",
    says: /stranger/,
  },
  {
    what: "a payload that does not fit, deep in a batch",
    make: () => plan(batch([chain(a, step.with({ n: Number.NaN as never }))])),
    code: "payload-not-json",
    says: /"n" is NaN/,
  },
];

describe("is refused:", () => {
  for (const { what, make, code, says } of mistakes) {
    it(what, () => assert.throws(make, (error) => ErrandError.is(error, code) && says.test(error.message)));
  }
});

it("a chain of 100,000 steps, and a graph written backwards, are ordered without a stack overflow", () => {
  const steps = Array.from({ length: 100_000 }, (_, index) => s(String(index)));
  const [first = a, ...rest] = steps;
  assert.equal(plan(chain(first, ...rest)).works.length, 100_001);
  const backwards = Array.from({ length: 20_000 }, (_, index) => s(String(index), { id: `j${index}`, after: `j${index + 1}` }));
  const { works } = plan(batch([...backwards, s("last", { id: "j20000" })]));
  assert.equal(works[1]?.id, "j20000");
  assert.equal(works.at(-1)?.id, "j0");
});
