/** Schedules become notes when a broker that has their code opens, so that any worker ticks them. */
import { enqueueMax } from "../defaults.ts";
import type { Atom, NewJob, NewWork } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import type { Planner } from "../plan.ts";
import type { Instant } from "../runtime.ts";
import { madeByTaskWith, type Errand } from "../task.ts";
import type { AnySchedule } from "./every.ts";
import { changeSchedule, type Store } from "./stored.ts";
import { ruleOf, templateId, type Rule, type StoredSchedule, type Template, type TemplateInput } from "./rule.ts";

/** What a first registration enqueues at once. */
export type AtOnce = (stored: StoredSchedule, isFirst: boolean) => Partial<Atom> | undefined;

/** Writes what is missing, and what the definition changed since it was last registered: neither what people edited nor the cursor. */
export async function registerSchedule(store: Store, planner: Planner, schedule: AnySchedule, atOnce: AtOnce = () => undefined): Promise<void> {
  const defined: Rule = { ...schedule.policy, ...(await plannedOf(planner, schedule.errand)) };
  await changeSchedule(store, schedule.name, (read, now) => {
    const stored = read === undefined ? first(schedule.name, defined, now) : redefined(read.stored, defined, now);
    const atom = atOnce(stored, read === undefined);
    return stored === read?.stored && atom === undefined ? undefined : { stored, ...(atom && { atom }) };
  });
}

/** What an errand enqueues, as data. Throws as `work.enqueue` does; `enqueue-too-many` above 500 jobs. */
export async function plannedOf(planner: Planner, errand: Errand): Promise<Pick<Rule, "work" | "input">> {
  const { works } = await planner.plan([errand], () => templateId);
  if (errand[madeByTaskWith].task !== undefined) return templateOf(works[0] as NewJob);
  return { work: worksTemplate(errand, works), input: null };
}

function templateOf(job: NewJob): { readonly work: Template; readonly input: TemplateInput } {
  const { task, queue, headStartMs, keep, version, startWithinMs, payload, lane, unique, keyLimits, expecting } = job;
  return {
    work: { job: { task, queue, headStartMs, keep, ...(version !== undefined && { version }), ...(startWithinMs !== undefined && { startWithinMs }) } },
    input: { payload, ...(lane && { lane }), ...(unique && { unique }), ...(keyLimits && { keyLimits }), ...(expecting !== undefined && { expecting }) },
  };
}

function worksTemplate({ name }: Errand, works: readonly NewWork[]): Template {
  if (works.length > enqueueMax)
    throw new ErrandError(
      "enqueue-too-many",
      `every(…, ${name}) enqueues ${works.length} jobs and batches at once, of ${enqueueMax} allowed; let a job enqueue them`,
      {
        details: { items: works.length },
      },
    );
  if (works.some(({ rememberMs }) => rememberMs > 0))
    throw new ErrandError("option-invalid", `every(…, ${name}) holds an id, which every slot would share; leave it out`, { details: { option: "id" } });
  return { works };
}

/** What came before is not missed. */
function first(name: string, defined: Rule, now: Instant): StoredSchedule {
  return { name, defined, edited: {}, cursor: now };
}

/** The same value where nothing has changed. */
function redefined(stored: StoredSchedule, defined: Rule, now: Instant): StoredSchedule {
  const changed = keysOf(defined).filter((key) => !isSame(defined[key], stored.defined[key]));
  if (changed.length === 0) return stored;
  const edited = Object.fromEntries(Object.entries(stored.edited).filter(([key]) => !changed.includes(key as keyof Rule)));
  return moved({ ...stored, defined, edited }, stored, now);
}

const keysOf = (rule: Rule): (keyof Rule)[] => Object.keys(rule) as (keyof Rule)[];
/** What says at which instants it is due. */
const ofTimes: readonly (keyof Rule)[] = ["rhythm", "zone", "from"];

/** A schedule with other instants begins anew: those that would have been are not missed. */
export function moved(stored: StoredSchedule, before: StoredSchedule, now: Instant): StoredSchedule {
  const [rule, was] = [ruleOf(stored), ruleOf(before)];
  return ofTimes.every((key) => isSame(rule[key], was[key])) ? stored : { ...stored, cursor: Math.max(stored.cursor, now) };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
