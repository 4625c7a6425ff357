/** What holds of every lane between any two steps (G7). */
import assert from "node:assert/strict";
import type { JobRow } from "../../src/core/engine.ts";
import { isEnded } from "../../src/core/states.ts";

/** `rows` in the order of enqueue. */
export function checkLanes(before: readonly JobRow[], rows: readonly JobRow[], widthOf: (lane: string) => number | undefined): void {
  const wasAdmitted = new Set(before.filter((row) => isAdmitted(row) || isDeadHead(row)).map(({ id }) => id));
  const wasWaiting = new Set(before.filter(isWaitingForItsTurn).map(({ id }) => id));
  for (const [lane, members] of liveMembers(rows)) {
    const admitted = members.filter(isAdmitted);
    checkWidth(lane, admitted, widthOf(lane) ?? 1);
    for (const { id } of admitted) {
      if (wasAdmitted.has(id)) continue;
      const place = members.findIndex((member) => member.id === id);
      // One that came into the lane in this very step may be late: it was let go, or lives again.
      const passed = members.slice(0, place).filter((member) => isWaitingForItsTurn(member) && wasWaiting.has(member.id));
      assert.deepEqual(
        passed.map((member) => member.id),
        [],
        `${id} passed these in lane ${lane}`,
      );
    }
  }
}

/**
 * Of several homes, where the order of a lane is that of coming to its home. One that is due later may still be changed by who has the same unique key, and waits for
 * that before it comes to its lane.
 */
export function checkWidths(rows: readonly JobRow[], widthOf: (lane: string) => number | undefined): void {
  const isOnItsWay = ({ state, unique, starts }: JobRow): boolean => state === "scheduled" && unique !== undefined && starts === 0;
  for (const [lane, members] of liveMembers(rows)) {
    const admitted = members.filter((member) => isAdmitted(member) && !isOnItsWay(member));
    const width = widthOf(lane) ?? 1;
    // A row of running members, and one of them that has come back.
    const isRow = width === 1 && admitted.filter(({ state }) => state !== "running").length <= 1;
    assert.ok(isRow || admitted.length <= width, `lane ${lane} admitted ${admitted.map(({ id, state }) => `${id} ${state}`).join(", ")}`);
  }
}

/** A lane of width 1 may have a row of running members; one of them that has come back is the first. */
function checkWidth(lane: string, admitted: readonly JobRow[], width: number): void {
  const waiting = admitted.filter(({ state }) => state !== "running");
  const isRow = width === 1 && waiting.length <= 1 && (waiting.length === 0 || waiting[0] === admitted[0]);
  assert.ok(isRow || admitted.length <= width, `lane ${lane} admitted ${admitted.map(({ id }) => id).join(", ")} though it is ${width} wide`);
}

function liveMembers(rows: readonly JobRow[]): Map<string, JobRow[]> {
  const members = new Map<string, JobRow[]>();
  for (const row of rows) {
    if (row.lane === undefined || isEnded(row.state) || isHeld(row)) continue;
    members.set(row.lane, [...(members.get(row.lane) ?? []), row]);
  }
  return members;
}

/** Outside its lane, until it is let go. */
function isHeld({ waits }: JobRow): boolean {
  return waits?.reason === "join" || waits?.reason === "after";
}

/** It runs first when it is redriven, whoever waits. */
function isDeadHead({ state, ifDead }: JobRow): boolean {
  return state === "parked" && ifDead === "block";
}

/** A dead head of a lane that blocks waits for a person; another head may be redriven before it. */
function isWaitingForItsTurn(member: JobRow): boolean {
  return member.waits?.reason === "key" || (member.state === "parked" && member.ifDead === "park");
}

/** One that waits for room under its limit has its turn. */
function isAdmitted({ state, waits }: JobRow): boolean {
  return state === "ready" || state === "scheduled" || state === "running" || waits?.reason === "limit";
}
