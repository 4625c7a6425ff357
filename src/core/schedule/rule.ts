/** A schedule as it is stored: what its definition says, what people changed since, and where it stands. */
import type { Instant, Ms } from "../runtime.ts";
import type { NewJob, NewWork } from "../engine.ts";
import { derivedId, keyName } from "../keys.ts";

export type Missed = "drop" | "run-once" | "run-all";
export type Overlap = "allow" | "skip" | "wait";

export interface Policy {
  readonly rhythm: string;
  readonly zone: string;
  readonly missed: Missed;
  readonly overlap: Overlap;
  readonly jitterMs: Ms;
  readonly from: Instant | null;
  readonly to: Instant | null;
}

/** All that makes the job of a slot, wherever it is made: a worker without the task's code enqueues it, too. */
export interface Rule extends Policy {
  readonly work: Template;
  /** Of a job: what follows from its input. It may be edited apart from the rest. */
  readonly input: TemplateInput | null;
}
export type Template = { readonly job: TemplateJob } | { readonly works: readonly NewWork[] };
export type TemplateJob = Pick<NewJob, "task" | "queue" | "headStartMs" | "keep" | "version" | "startWithinMs">;
export type TemplateInput = Pick<NewJob, "payload" | "lane" | "unique" | "keyLimits" | "expecting">;

/** The note `schedule/<name>`. */
export interface StoredSchedule {
  readonly name: string;
  /** As the definition said when it was last registered. */
  readonly defined: Rule;
  /** What people changed since; it stands before the definition. */
  readonly edited: Partial<Rule>;
  /** No instant at or before it is enqueued by the schedule any more (G12). */
  readonly cursor: Instant;
  /** The last slot that was enqueued. */
  readonly lastSlot?: Instant;
}

export function ruleOf({ defined, edited }: StoredSchedule): Rule {
  return { ...defined, ...edited };
}

/** The task of a job; of a batch or chain, what it is called. */
export function taskOf({ work }: Rule): string {
  if ("job" in work) return work.job.task;
  const [root] = work.works;
  return root?.kind === "join" || root?.kind === "event" ? root.name : (root?.task ?? "");
}

export function queueOf({ work }: Rule): string | undefined {
  return "job" in work ? work.job.queue : work.works.find((each) => each.kind === "job")?.queue;
}

/** Of a slot's job, or batch. */
export function slotId(schedule: string, at: Instant): string {
  return derivedId("schedule", schedule, String(at));
}

export interface SlotUse {
  /** How long the id is remembered. */
  readonly rememberMs: Ms;
  readonly overlap: Overlap;
  readonly jitterMs: Ms;
}

/** What a slot enqueues. */
export function worksOf(name: string, rule: Rule, at: Instant, use: Partial<SlotUse> = {}): NewWork[] {
  const { work, input } = rule;
  const id = slotId(name, at);
  const slot = { schedule: name, at };
  const { jitterMs = rule.jitterMs, overlap = rule.overlap, rememberMs = 0 } = use;
  const times = jitterMs > 0 ? { dueAt: at + jitterOf(id, jitterMs) } : {};
  if ("works" in work) return renamed(work.works, id).map((each) => ({ ...each, ...(each.kind === "job" && { slot, ...times }), rememberMs }));
  return [{ kind: "job", id, content: "", rememberMs, ...work.job, ...(input ?? { payload: "{}" }), ...overlapOf(name, rule, overlap), slot, ...times }];
}

/** The id that the planner was given for what a slot enqueues. */
export const templateId = "slot";

/** Ids of a batch's template become those of this slot. */
function renamed(works: readonly NewWork[], id: string): NewWork[] {
  const own = new Set(works.map((work) => work.id));
  const named = (given: string): string => (given === templateId ? id : own.has(given) ? derivedId(id, given) : given);
  return works.map((work) => {
    if (work.kind === "event") return work;
    const { join, after } = work;
    return {
      ...work,
      id: named(work.id),
      ...(join !== undefined && { join: named(join) }),
      ...(after !== undefined && { after: after.map((one) => ({ ...one, id: named(one.id) })) }),
    };
  });
}

/**
 * skip: one live job of the schedule, unless the task's own unique key is stricter. It has the lane too, so that no slot runs beside one of a backfill.
 * wait: a lane of width 1, unless the task has one: the schedule's jobs are of one key of it.
 */
function overlapOf(name: string, { input }: Rule, overlap: Overlap): Partial<NewJob> {
  if (overlap === "allow") return {};
  const key = keyName(`schedule:${name}`, []);
  const lane = input?.lane ?? { key, width: 1, ifDead: "continue" as const };
  return overlap === "wait" ? { lane } : { lane, unique: { key: input?.unique?.key ?? key, mode: { is: "keep" } } };
}

/** The same for the same slot: from the first 48 bits of its id. */
function jitterOf(id: string, jitterMs: Ms): Ms {
  return Math.floor((Number.parseInt(id.slice(0, 12), 16) / 2 ** 48) * (jitterMs + 1));
}
