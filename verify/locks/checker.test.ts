/** The checker itself: it explains what can be explained, and nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { unexplained, type Operation } from "./linearizable.ts";
import { lockSpecification, type LockOp } from "./lockSpecification.ts";

const never = Number.POSITIVE_INFINITY;

function taken(grant: string, fence: number, from: number, to: number, more: Partial<Extract<LockOp, { readonly is: "granted" }>> = {}): Operation<LockOp> {
  return { op: { is: "granted", grant, mode: "write", permits: 1, fence, ...more }, calledAt: from, answeredAt: to };
}
function ended(grant: string, from: number, to: number): Operation<LockOp> {
  return { op: { is: "ended", grant }, calledAt: from, answeredAt: to };
}
const reading = { mode: "read" } as const;
const two = { permits: 2 } as const;

const rows: readonly { readonly claim: string; readonly history: readonly Operation<LockOp>[]; readonly isFine: boolean }[] = [
  { claim: "nothing at all", history: [], isFine: true },
  { claim: "one after the other", history: [taken("a", 1, 0, 1), ended("a", 2, 3), taken("b", 2, 4, 5), ended("b", 6, 7)], isFine: true },
  { claim: "two at once", history: [taken("a", 1, 0, 1), taken("b", 2, 2, 3), ended("a", 4, 5), ended("b", 6, 7)], isFine: false },
  { claim: "one that asked early and waited", history: [taken("a", 1, 0, 1), taken("b", 2, 0, 6), ended("a", 4, 7), ended("b", 8, 9)], isFine: true },
  {
    claim: "a release that may have taken effect in time",
    history: [taken("a", 1, 0, 1), ended("a", 2, 9), taken("b", 2, 3, 4), ended("b", 5, 6)],
    isFine: true,
  },
  { claim: "a release that came too late", history: [taken("a", 1, 0, 1), taken("b", 2, 3, 4), ended("a", 5, 9)], isFine: false },
  { claim: "a loss that may have come in time", history: [taken("a", 1, 0, 1), ended("a", 3, never), taken("b", 2, 2, 4)], isFine: true },
  { claim: "a loss that cannot have come yet", history: [taken("a", 1, 0, 1), ended("a", 5, never), taken("b", 2, 2, 4)], isFine: false },
  { claim: "a grant that nobody needs to be over", history: [taken("a", 1, 0, 1), ended("a", never, never)], isFine: true },
  { claim: "fences that fall", history: [taken("a", 2, 0, 1), ended("a", 2, 3), taken("b", 1, 4, 5)], isFine: false },
  { claim: "fences that stand still", history: [taken("a", 1, 0, 1), ended("a", 2, 3), taken("b", 1, 4, 5)], isFine: false },
  {
    claim: "fences in the other order of overlapping calls",
    history: [taken("a", 2, 0, 9), taken("b", 1, 0, 3), ended("b", 4, 5), ended("a", 9, 10)],
    isFine: true,
  },
  {
    claim: "readers beside each other",
    history: [taken("a", 1, 0, 1, reading), taken("b", 2, 0, 1, reading), ended("a", 5, 6), ended("b", 5, 6)],
    isFine: true,
  },
  { claim: "a writer beside a reader", history: [taken("a", 1, 0, 1, reading), taken("b", 2, 2, 3), ended("a", 5, 6), ended("b", 5, 6)], isFine: false },
  { claim: "a reader beside a writer", history: [taken("a", 1, 0, 1), taken("b", 2, 2, 3, reading), ended("a", 5, 6), ended("b", 5, 6)], isFine: false },
  { claim: "two of two permits", history: [taken("a", 1, 0, 1, two), taken("b", 2, 2, 3, two), ended("a", 5, 6)], isFine: true },
  { claim: "three of two permits", history: [taken("a", 1, 0, 1, two), taken("b", 2, 2, 3, two), taken("c", 3, 3, 4, two), ended("a", 5, 6)], isFine: false },
];

for (const { claim, history, isFine } of rows) {
  test(`${claim} ${isFine ? "can" : "cannot"} be explained`, () => assert.equal(unexplained(history, lockSpecification) === undefined, isFine));
}

test("many overlapping calls are decided in time", () => {
  const history = Array.from({ length: 300 }, (_, n) => [taken(`g${n}`, n + 1, n, n + 7), ended(`g${n}`, n, n + 8)]).flat();
  assert.equal(unexplained(history, lockSpecification), undefined);
});
