/** What holds of every lane between any two steps (G7). */
import assert from "node:assert/strict";
import type { JobRow } from "../../src/core/engine.ts";
import { isEnded } from "../../src/core/states.ts";

/** `rows` in the order of enqueue. */
export function checkLanes(before: readonly JobRow[], rows: readonly JobRow[], widthOf: (lane: string) => number | undefined): void {
  const wasAdmitted = new Set(before.filter(isAdmitted).map(({ id }) => id));
  for (const [lane, members] of liveMembers(rows)) {
    const admitted = members.filter(isAdmitted);
    const width = widthOf(lane) ?? 1;
    assert.ok(admitted.length <= width, `lane ${lane} admitted ${admitted.map(({ id }) => id).join(", ")} though it is ${width} wide`);
    for (const { id } of admitted) {
      if (wasAdmitted.has(id)) continue;
      const passed = members
        .slice(
          0,
          members.findIndex((member) => member.id === id),
        )
        .filter(isWaitingForItsTurn);
      assert.deepEqual(
        passed.map((member) => member.id),
        [],
        `${id} passed these in lane ${lane}`,
      );
    }
  }
}

function liveMembers(rows: readonly JobRow[]): Map<string, JobRow[]> {
  const members = new Map<string, JobRow[]>();
  for (const row of rows) {
    if (row.lane === undefined || isEnded(row.state)) continue;
    members.set(row.lane, [...(members.get(row.lane) ?? []), row]);
  }
  return members;
}

/** A dead head of a lane that blocks waits for a person; another head may be redriven before it. */
function isWaitingForItsTurn(member: JobRow): boolean {
  return member.state === "blocked" || (member.state === "parked" && member.ifDead === "park");
}

function isAdmitted({ state }: JobRow): boolean {
  return state === "ready" || state === "scheduled" || state === "running";
}
