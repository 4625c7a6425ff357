/** What holds of joins, predecessors and limits by key between any two steps (G9, G11). */
import assert from "node:assert/strict";
import type { JobRow, JoinRow, KeyLimit } from "../../src/core/engine.ts";
import { endedAs } from "../../src/core/joining.ts";

export function checkJoins(joins: readonly JoinRow[], jobs: readonly JobRow[]): void {
  const byId = new Map(joins.map((join) => [join.id, join]));
  for (const join of joins) {
    assert.equal(join.members, join.live + join.succeeded + join.failed, `join ${join.id} does not count all of its members`);
    if (join.state === "closed") {
      assert.equal(join.live, 0, `join ${join.id} is closed with live members`);
      continue;
    }
    const members = jobs.filter((job) => job.joins?.includes(join.id));
    const live =
      members.filter(({ state }) => endedAs(state) === undefined).length + joins.filter((inner) => inner.join === join.id && inner.state !== "closed").length;
    assert.equal(join.live, live, `join ${join.id} counts ${join.live} live members of ${live}`);
    const around = join.join === undefined ? undefined : byId.get(join.join);
    assert.ok(join.state !== "open" || around === undefined || around.state === "open", `join ${join.id} is open within one that is not`);
  }
}

/** Nothing is held that could go on, and no join is open that could close. */
export function checkHeld(joins: readonly JoinRow[], jobs: readonly JobRow[]): void {
  for (const { id, state, live, isCancelled } of joins) {
    const isOver = live === 0 && (state === "open" || (isCancelled && state !== "closed"));
    assert.ok(!isOver, `join ${id} is ${state}, though no member lives`);
  }
  const isOpen = new Map(joins.map(({ id, state, isCancelled }) => [id, state === "open" && !isCancelled]));
  const states = new Map(jobs.map(({ id, state }) => [id, state]));
  for (const { id, waits, joins: own, after = [] } of jobs) {
    if (waits?.reason === "join") assert.notEqual(isOpen.get(own?.[0] ?? ""), true, `job ${id} is held by a join that is open`);
    if (waits?.reason !== "after" || own?.some((join) => joins.find((one) => one.id === join)?.isCancelled)) continue;
    const open = after.filter((before) => {
      const state = states.get(before.id);
      return state ? endedAs(state) === undefined : joins.some((join) => join.id === before.id && join.state !== "closed");
    });
    assert.ok(open.length > 0, `job ${id} waits for nothing that is open`);
  }
}

export function checkLimits(jobs: readonly JobRow[], limits: readonly KeyLimit[]): void {
  for (const { key, is } of limits) {
    const holding = jobs.filter((job) => job.keyLimits?.some((limit) => limit.key === key) && holds(job, is));
    const most = "running" in is ? is.running : is.starts;
    assert.ok(holding.length <= most, `${holding.length} jobs hold limit ${key}, of ${most}`);
  }
}

function holds({ state }: JobRow, is: KeyLimit["is"]): boolean {
  return state === "ready" || (state === "running" && "running" in is);
}
