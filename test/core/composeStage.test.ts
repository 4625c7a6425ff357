/** A call above 500 is stored in several atoms, each of which could be the last: what counts is that the seal comes last, with all that hangs on it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { batch } from "../../src/core/compose/batch.ts";
import { chain } from "../../src/core/compose/chain.ts";
import { stagesOf, type Stage } from "../../src/core/compose/stage.ts";
import { Definitions } from "../../src/core/definitions.ts";
import type { NewJoin, NewWork } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { Planner } from "../../src/core/plan.ts";
import { task, type Errand } from "../../src/core/task.ts";
import { VirtualRuntime } from "../../src/testing/virtualRuntime.ts";

const step = task<{ n: number }>("step", () => undefined);
const unique = task<{ n: number }>("unique", { uniqueBy: "n", run: () => undefined });

const many = (count: number, from = 0): Errand[] => Array.from({ length: count }, (_, n) => step.with({ n: from + n }));

function stages(...errands: readonly Errand[]): readonly Stage[] {
  return stagesOf(new Planner(new Definitions([{ step, unique }]), new VirtualRuntime()).planNow(errands));
}

/** An engine's rules of storing, and nothing else: throws where one is broken. Answers the joins that are sealed, with how many members each was given. */
function replayed(given: readonly Stage[]): { readonly members: Map<string, number>; readonly jobs: number; readonly seals: NewJoin[] } {
  const known = new Map<string, NewWork>();
  const sealed = new Map<string, NewJoin>();
  const members = new Map<string, number>();
  for (const { works } of given.flatMap(({ atoms }) => atoms)) {
    assert.ok(works.length <= 500 && works.length > 0);
    const sealedBefore = new Set(sealed.keys());
    for (const work of works) {
      assert.notEqual(work.kind, "event");
      if (work.kind === "event") continue;
      for (const { id } of work.after ?? []) assert.ok(known.has(id), `${work.id} comes after ${id}, which is not stored`);
      if (work.join !== undefined) {
        assert.ok(known.has(work.join), `${work.id} belongs to ${work.join}, which is not stored`);
        assert.ok(!sealedBefore.has(work.join), `${work.id} is given to ${work.join}, which an earlier atom sealed`);
      }
      if (!known.has(work.id) && work.join !== undefined) members.set(work.join, (members.get(work.join) ?? 0) + 1);
      if (work.kind === "join" && work.isSealed) {
        sealed.set(work.id, work);
        // What stood open before may lack members by then: the store must be told how many there are to be.
        if (known.has(work.id) || work.size !== undefined) assert.equal(work.size, members.get(work.id) ?? 0, `${work.id} is sealed with its members`);
      }
      known.set(work.id, work);
    }
  }
  const joins = [...known.values()].filter((work) => work.kind === "join");
  assert.deepEqual(
    joins.filter(({ id }) => !sealed.has(id)),
    [],
    "joins that were never sealed",
  );
  return { members, jobs: known.size - joins.length, seals: [...sealed.values()] };
}

interface Row {
  readonly what: string;
  readonly given: () => Errand[];
  readonly jobs: number;
}
const rows: readonly Row[] = [
  { what: "a batch of 501", given: () => [batch(many(501))], jobs: 501 },
  { what: "a batch of 499 with its callback", given: () => [batch(many(499), { whenAllEnd: step.with({ n: -1 }) })], jobs: 500 },
  {
    what: "a batch of 100,000 with callbacks",
    given: () => [batch(many(100_000), { whenAllSucceed: step.with({ n: -1 }), whenAnyFails: step.with({ n: -2 }) })],
    jobs: 100_002,
  },
  { what: "a chain of 2,000", given: () => [chain(step.with({ n: 0 }), ...many(1_999, 1))], jobs: 2_000 },
  { what: "a chain of batches", given: () => [chain(batch(many(700)), batch(many(300)), batch(many(1_200)), step.with({ n: 0 }))], jobs: 2_201 },
  {
    what: "batches in batches, each with a callback",
    given: () => [batch(Array.from({ length: 90 }, () => batch(many(11), { whenAllEnd: step.with({ n: 0 }) })))],
    jobs: 1_080,
  },
  { what: "an empty batch in a large one", given: () => [batch([batch([]), ...many(600), batch([], { whenAllEnd: step.with({ n: 0 }) })])], jobs: 601 },
  {
    what: "a callback that is a large batch with a callback of its own",
    given: () => [batch(many(600), { whenAllSucceed: batch(many(600), { whenAllEnd: step.with({ n: 0 }) }) })],
    jobs: 1_201,
  },
  { what: "a small batch with a large callback", given: () => [batch(many(2), { whenAnyFails: batch(many(600)) })], jobs: 602 },
  { what: "a graph in a batch", given: () => [batch(graph(900))], jobs: 900 },
  {
    what: "large and small ones, and plain jobs",
    given: () => [...many(700), batch(many(600)), batch(many(5)), ...many(400), chain(step.with({ n: 0 }), batch(many(800)))],
    jobs: 2_506,
  },
];

/** Each comes after the two before it. */
function graph(count: number): Errand[] {
  const errands: Errand[] = [];
  for (let n = 0; n < count; n++) errands.push(step.with({ n }, { after: errands.slice(-2) }));
  return errands.toReversed();
}

describe("above 500", () => {
  for (const { what, given, jobs } of rows) {
    it(`${what}: all is stored, each behind what it hangs on, and joins are sealed once all their members are`, () => {
      assert.equal(replayed(stages(...given())).jobs, jobs);
    });
  }

  it("each atom tells again of the joins that it adds to, so that a repeat of any of them is known", () => {
    for (const { given } of rows) {
      for (const { works } of stages(...given()).flatMap(({ atoms }) => atoms)) {
        const here = new Set(works.map(({ id }) => id));
        assert.deepEqual(
          works.filter((work) => work.kind === "job" && work.join !== undefined && !here.has(work.join)),
          [],
        );
      }
    }
  });

  it("nothing of a large batch shows before its last atom, which holds the seal and the callbacks", () => {
    const given = stages(batch(many(1_200), { whenAllEnd: step.with({ n: -1 }), whenAnyFails: batch(many(3)) }));
    const atoms = given.flatMap(({ atoms: list }) => list);
    const last = atoms.at(-1)?.works ?? [];
    assert.deepEqual(
      last.map((work) => (work.kind === "join" ? `${work.kind} ${work.isSealed}` : work.kind)),
      ["job", "join true", "join true"],
    );
    for (const { works } of atoms.slice(0, -1)) assert.ok(works.every((work) => (work.kind === "join" ? !work.isSealed : "join" in work)));
    assert.deepEqual(
      given.map(({ isHidden }) => isHidden),
      [true, false],
    );
  });

  it("a job that others come after goes alone, where it may turn out to stand under another id", () => {
    const first = unique.with({ n: 1 });
    const given = stages(batch([first, ...many(1_200), step.with({ n: 0 }, { after: first })]));
    assert.ok(given.every(({ atoms }) => atoms.length === 1));
  });

  it("what comes after each other outside a batch is refused, with the way out", () => {
    const first = step.with({ n: 0 });
    for (const given of [graph(501), [first, batch(many(600), { after: first })]])
      assert.throws(
        () => stages(...given),
        (error) => ErrandError.is(error, "enqueue-too-many") && /put all of them into one batch/.test(error.message),
      );
  });
});
