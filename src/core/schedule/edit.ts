/** What people change about a stored schedule. */
import type { Definitions } from "../definitions.ts";
import { durationMs, type Duration } from "../duration.ts";
import { ErrandError } from "../errors.ts";
import { checkOptions, refuse } from "../options.ts";
import type { Planner } from "../plan.ts";
import type { Errand } from "../task.ts";
import { checkPolicy, checkZone, scheduleChecks } from "./every.ts";
import { plannedOf } from "./register.ts";
import { rhythmOf, type Rhythm } from "./rhythm.ts";
import { ruleOf, taskOf, type Missed, type Overlap, type Rule, type StoredSchedule } from "./rule.ts";

/** What is left out stays; `null` is as defined again. */
export interface ScheduleEdit {
  readonly rhythm?: Rhythm | null;
  readonly zone?: string | null;
  readonly missed?: Missed | null;
  readonly overlap?: Overlap | null;
  readonly jitter?: Duration | null;
  readonly from?: Date | null;
  readonly to?: Date | null;
  /** The input of each slot's job, as its task takes it. */
  readonly input?: unknown;
}

type Check = (value: unknown, path: string) => void;
const orNull =
  (check: Check): Check =>
  (value, path) =>
    value === null || check(value, path);

const checks: Readonly<Record<keyof ScheduleEdit, Check>> = {
  rhythm: orNull((value, path) => void rhythmOf(value, path)),
  zone: orNull(scheduleChecks.zone),
  missed: orNull(scheduleChecks.missed),
  overlap: orNull(scheduleChecks.overlap),
  jitter: orNull(scheduleChecks.jitter),
  from: orNull(scheduleChecks.from),
  to: orNull(scheduleChecks.to),
  input: () => undefined,
};

interface Patch {
  readonly set: Partial<Rule>;
  readonly unset: readonly (keyof Rule)[];
}
interface EditParts {
  readonly definitions: Definitions;
  readonly planner: Planner;
}

/** Throws `option-unknown`, `option-invalid`, `rhythm-invalid`, `zone-unknown`, and what the input's task refuses. */
export async function patchOf(parts: EditParts, change: ScheduleEdit, stored: StoredSchedule): Promise<Patch> {
  const owner = `schedule("${stored.name}").edit`;
  checkOptions(change, owner, checks);
  const changes = Object.entries(change).filter(([, value]) => value !== undefined);
  if (changes.length === 0) refuse(owner, change, 'what is to change, as in { rhythm: "day at 04:00" }');
  const unset = changes.filter(([, value]) => value === null).map(([name]) => (name === "jitter" ? "jitterMs" : name) as keyof Rule);
  return { set: await setOf(parts, change, stored), unset };
}

/** Throws `option-invalid`, `definition-invalid` where the change does not go with what stays. */
export function patched(stored: StoredSchedule, { set, unset }: Patch): StoredSchedule {
  const kept = Object.entries(stored.edited).filter(([key]) => !unset.includes(key as keyof Rule));
  const changed = { ...stored, edited: { ...Object.fromEntries(kept), ...set } };
  const rule = ruleOf(changed);
  const owner = `schedule("${stored.name}")`;
  checkPolicy(rule, owner);
  checkZone(rule.rhythm, set.zone, owner);
  checkOverlap(rule, owner);
  return changed;
}

async function setOf(parts: EditParts, change: ScheduleEdit, stored: StoredSchedule): Promise<Partial<Rule>> {
  const { rhythm, zone, missed, overlap, jitter, from, to, input } = change;
  return {
    ...(rhythm && { rhythm }),
    ...(zone && { zone }),
    ...(missed && { missed }),
    ...(overlap && { overlap }),
    ...(jitter && { jitterMs: durationMs(jitter, "jitter") }),
    ...(from && { from: from.getTime() }),
    ...(to && { to: to.getTime() }),
    ...(input !== undefined && input !== null && { input: await inputOf(parts, input, ruleOf(stored)) }),
  };
}

async function inputOf({ definitions, planner }: EditParts, input: unknown, rule: Rule): Promise<Rule["input"]> {
  if (rule.input === null) refuse("edit.input", input, "no input: the schedule enqueues a batch or chain, which its definition holds");
  const task = definitions.task(taskOf(rule)) as unknown as { readonly with: (input: unknown) => Errand };
  return (await plannedOf(planner, task.with(input))).input;
}

function checkOverlap({ overlap, work, input }: Rule, owner: string): void {
  if (overlap === "allow") return;
  if (!("job" in work))
    throw new ErrandError("definition-invalid", `${owner} enqueues a batch or chain, which cannot have overlap "${overlap}"; only the job of one task can`);
  if (overlap === "wait" && input?.unique !== undefined)
    throw new ErrandError(
      "definition-invalid",
      `${owner} cannot have overlap "wait": uniqueBy of its task drops a second job rather than let it wait; use "skip"`,
    );
}
