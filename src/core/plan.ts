/** From values to work: errands and facts, checked, parsed, encoded and given their ids and keys, ready for an engine. */
import { isComposed, nodesOf } from "./compose/nodes.ts";
import { ordered } from "./compose/order.ts";
import { planOf, type Plan } from "./compose/plan.ts";
import * as defaults from "./defaults.ts";
import type { Definitions } from "./definitions.ts";
import { durationMs } from "./duration.ts";
import type { LaneMembership, Maybe, NewEvent, NewJob, Uniqueness } from "./engine.ts";
import { ErrandError } from "./errors.ts";
import { madeByEventWith, type Fact, type FactParts } from "./event.ts";
import { encodeExpecting } from "./guard/expected.ts";
import { contentOf, keyName, keyValues } from "./keys.ts";
import { keyLimitOf } from "./keyLimits.ts";
import { allOf } from "./maybe.ts";
import { encode } from "./payload.ts";
import type { Runtime } from "./runtime.ts";
import { parse, parseNow } from "./schema.ts";
import { madeByTaskWith, type AnyErrandOptions, type AnyTask, type Errand, type ErrandParts, type JobParts } from "./task.ts";

/** What a call knows of a job beyond its errand. */
export interface JobIdentity {
  /** Stands in where the errand has none. */
  readonly id?: string;
  /** It is part of what the caller gave an id to, so its id is remembered as well. */
  readonly isRemembered?: boolean;
}

export class Planner {
  readonly #definitions: Definitions;
  readonly #runtime: Runtime;
  readonly #warned: Set<string> = new Set();

  constructor(definitions: Definitions, runtime: Runtime) {
    this.#definitions = definitions;
    this.#runtime = runtime;
  }

  /** All that errands store, in the order of storing. A promise only where a schema is asynchronous. `idOf`: the id of an errand that has none. */
  plan(errands: readonly Errand[], idOf?: (index: number) => string): Maybe<Plan> {
    if (!errands.some(isComposedErrand)) return plainPlan(errands.map((errand, index) => this.job(errand, idOf?.(index))));
    const { nodes, roots } = nodesOf(errands, idOf ?? (() => this.#runtime.id()));
    const inOrder = ordered(nodes);
    const jobs = inOrder.flatMap(({ id, owner, parts }) => (parts.task === undefined ? [] : this.#planned(parts, { id, isRemembered: owner !== undefined })));
    const made = allOf(jobs);
    return made instanceof Promise ? made.then((all) => planOf(nodes, inOrder, roots, all)) : planOf(nodes, inOrder, roots, made);
  }

  /** As {@link plan}, where nothing may be awaited. Throws `schema-async`. */
  planNow(errands: readonly Errand[]): Plan {
    if (!errands.some(isComposedErrand)) return { works: errands.map((errand) => this.jobNow(errand)) };
    const { nodes, roots } = nodesOf(errands, () => this.#runtime.id());
    const inOrder = ordered(nodes);
    const jobs = inOrder.flatMap(({ id, owner, parts }) =>
      parts.task === undefined ? [] : this.#plannedNow(parts, { id, isRemembered: owner !== undefined }),
    );
    return planOf(nodes, inOrder, roots, jobs);
  }

  /** The job of a task's errand. A promise only where its schema is asynchronous. `id` stands in where the errand has none. */
  job(errand: Errand, id?: string): Maybe<NewJob> {
    return this.#planned(jobPartsOf(errand), id === undefined ? {} : { id });
  }

  /** As {@link job}, where nothing may be awaited. Throws `schema-async`. */
  jobNow(errand: Errand, id?: string): NewJob {
    return this.#plannedNow(jobPartsOf(errand), id === undefined ? {} : { id });
  }

  event(fact: Fact): Maybe<NewEvent> {
    const parts = partsOfFact(fact);
    const parsed = parse(parts.event.payload, parts.payload, parts.event.name);
    return parsed instanceof Promise ? parsed.then(() => this.#eventOf(parts)) : this.#eventOf(parts);
  }

  eventNow(fact: Fact): NewEvent {
    const parts = partsOfFact(fact);
    parseNow(parts.event.payload, parts.payload, parts.event.name);
    return this.#eventOf(parts);
  }

  #planned(parts: JobParts, identity: JobIdentity): Maybe<NewJob> {
    this.#definitions.task(parts.task.name);
    const parsed = parse(parts.task.input, parts.input, owner(parts.task));
    return parsed instanceof Promise ? parsed.then(() => this.#jobOf(parts, identity)) : this.#jobOf(parts, identity);
  }

  #plannedNow(parts: JobParts, identity: JobIdentity): NewJob {
    this.#definitions.task(parts.task.name);
    parseNow(parts.task.input, parts.input, owner(parts.task));
    return this.#jobOf(parts, identity);
  }

  #jobOf(parts: JobParts, identity: JobIdentity): NewJob {
    const { task, input, options } = parts;
    const isRemembered = options.id !== undefined || identity.isRemembered === true;
    const payload = this.#payloadOf(task, input, options);
    const unique = uniqueOf(task, input);
    const lane = laneOf(task, input, unique);
    const jobId = options.id ?? identity.id ?? this.#runtime.id();
    const { log } = this.#runtime;
    if (log.isLevelEnabled?.("debug") ?? true) log.debug({ job: jobId, task: task.name }, "scheduling");
    return {
      kind: "job",
      id: jobId,
      content: isRemembered ? contentOf(task.name, payload) : "",
      rememberMs: isRemembered ? defaults.rememberMs : 0,
      task: task.name,
      queue: task.policy.queue,
      payload,
      headStartMs: options.priority === undefined ? task.policy.headStartMs : defaults.headStartMs[options.priority],
      keep: task.policy.keep,
      ...timesOf(options, task.name),
      ...(options.expecting !== undefined && { expecting: encodeExpecting(task, options.expecting) }),
      ...(lane && { lane }),
      ...(unique && { unique }),
      ...keyLimitsOf(task, input),
      ...(task.policy.version !== undefined && { version: task.policy.version }),
    };
  }

  #eventOf({ event, payload, id }: FactParts): NewEvent {
    const text = this.#encode(payload ?? {}, event.name);
    if (event.orderedBy) requireKeys(event.orderedBy, payload, event.name, "orderedBy");
    return {
      kind: "event",
      id: id ?? this.#runtime.id(),
      content: id === undefined ? "" : contentOf(event.name, text),
      rememberMs: id === undefined ? 0 : defaults.rememberMs,
      name: event.name,
      payload: text,
      ...(event.orderedBy && { orderedBy: event.orderedBy }),
    };
  }

  /** What is gathered is stored as an array, of one at first. */
  #payloadOf(task: AnyTask, input: unknown, { id }: AnyErrandOptions): string {
    const text = this.#encode(task.input === undefined ? (input ?? {}) : input, task.name);
    if (task.policy.uniqueMode.is !== "gather") return text;
    if (id !== undefined)
      throw new ErrandError(
        "option-invalid",
        `${task.name} merges its payloads, so that an id of one of them would not be remembered; put it into the payload, and let merge drop what is there twice`,
        {
          details: { task: task.name },
        },
      );
    return `[${text}]`;
  }

  #encode(value: unknown, name: string): string {
    const text = encode(value, name);
    if (text.length > defaults.payloadBytesWarn && !this.#warned.has(name)) {
      this.#warned.add(name);
      this.#runtime.log.warn(
        { name, bytes: text.length },
        `a payload of ${name} is above ${defaults.payloadBytesWarn} bytes: pass a pointer to the record instead`,
      );
    }
    return text;
  }
}

function isComposedErrand(errand: Errand): boolean {
  partsOfErrand(errand);
  return isComposed(errand);
}

function plainPlan(jobs: readonly Maybe<NewJob>[]): Maybe<Plan> {
  const works = allOf(jobs);
  return works instanceof Promise ? works.then((all) => ({ works: all })) : { works };
}

/** Of one job, where a batch has no place. */
function jobPartsOf(errand: Errand): JobParts {
  const parts = partsOfErrand(errand);
  if (parts.task !== undefined && parts.options.after === undefined) return parts;
  if (parts.task !== undefined)
    throw new ErrandError("option-invalid", `${parts.task.name} comes after something else, which has no place here; enqueue it, or leave \`after\` out`);
  throw new ErrandError("option-invalid", `a ${parts.group} was given where the errand of one task belongs; hand in what task.with(input) answers`, {
    details: { group: parts.group },
  });
}

function partsOfErrand(value: Errand): ErrandParts {
  const parts = (value as Partial<Errand> | null | undefined)?.[madeByTaskWith];
  if (parts === undefined) throw noErrand("enqueue", value);
  return parts;
}

function partsOfFact(value: Fact): FactParts {
  const parts = (value as Partial<Fact> | null | undefined)?.[madeByEventWith];
  if (parts === undefined) throw noErrand("publish", value);
  return parts;
}

const cures: Readonly<Record<string, string>> = {
  "enqueue task": "hand in what its with(input) answers",
  "enqueue event": "an event is published: work.publish(event.with(payload))",
  "enqueue fact": "facts are published: work.publish(…)",
  "publish event": "hand in what its with(payload) answers",
  "publish task": "a task is enqueued: work.enqueue(task.with(input))",
  "publish errand": "errands are enqueued: work.enqueue(…)",
};

/** Says what was handed in instead, and how to hand it in. */
function noErrand(verb: "enqueue" | "publish", value: unknown): ErrandError {
  const { kind, name } = (value ?? {}) as { readonly kind?: unknown; readonly name?: unknown };
  const isKnown = typeof kind === "string" && typeof name === "string";
  const given = isKnown ? `the ${kind} "${name}"` : value === null ? "null" : `a value of type ${typeof value}`;
  const cure = isKnown ? cures[`${verb} ${kind}`] : undefined;
  const otherwise = verb === "enqueue" ? "hand in what task.with(input) answers" : "hand in what event.with(payload) answers";
  return new ErrandError("option-invalid", `${verb}(…) was given ${given}; ${cure ?? otherwise}`, { details: { option: `${verb}(…)` } });
}

function owner(task: AnyTask): string {
  return task.name;
}

function timesOf(options: AnyErrandOptions, name: string): Partial<NewJob> {
  const { startBy } = options;
  return {
    ...(options.in !== undefined && { delayMs: durationMs(options.in, `${name}.with.in`) }),
    ...(options.at !== undefined && { dueAt: options.at.getTime() }),
    ...(startBy instanceof Date && { startBy: startBy.getTime() }),
    ...(typeof startBy === "string" && { startWithinMs: durationMs(startBy, `${name}.with.startBy`) }),
  };
}

function uniqueOf(task: AnyTask, input: unknown): Uniqueness | undefined {
  const { uniqueBy, uniqueMode } = task.policy;
  return uniqueBy && { key: keyName(task.name, requireKeys(uniqueBy, input, task.name, "uniqueBy")), mode: uniqueMode };
}

function laneOf(task: AnyTask, input: unknown, unique: Uniqueness | undefined): LaneMembership | undefined {
  const { orderedBy, ifDead, uniqueMode } = task.policy;
  if (orderedBy) return { key: keyName(task.name, requireKeys(orderedBy, input, task.name, "orderedBy")), width: 1, ifDead };
  // "one-more" lets one wait while one runs: its unique key is a lane as well.
  return unique && uniqueMode.is === "one-more" ? { key: unique.key, width: 1, ifDead: "continue" } : undefined;
}

function keyLimitsOf({ name, policy }: AnyTask, input: unknown): Pick<NewJob, "keyLimits"> {
  if (policy.keyLimits === undefined) return {};
  for (const { per } of policy.keyLimits) requireKeys(per, input, name, "limits");
  return { keyLimits: policy.keyLimits.map((limit) => keyLimitOf(limit, input)) };
}

function requireKeys(fields: readonly string[], payload: unknown, name: string, option: string): unknown[] {
  const values = keyValues(fields, payload);
  const missing = fields[values.indexOf(undefined)];
  if (missing === undefined) return values;
  throw new ErrandError("key-missing", `the payload of ${name} has no text, number or boolean at "${missing}", which ${option} names; add it to the payload`, {
    details: { name, field: missing },
  });
}
