/** From values to work: errands and facts, checked, parsed, encoded and given their ids and keys, ready for an engine. */
import * as defaults from "./defaults.ts";
import type { Definitions } from "./definitions.ts";
import { durationMs } from "./duration.ts";
import type { LaneMembership, Maybe, NewEvent, NewJob, Uniqueness } from "./engine.ts";
import { ErrandError } from "./errors.ts";
import { madeByEventWith, type Fact, type FactParts } from "./event.ts";
import { contentOf, keyName, keyValues } from "./keys.ts";
import { encode } from "./payload.ts";
import type { Runtime } from "./runtime.ts";
import { parse, parseNow } from "./schema.ts";
import { madeByTaskWith, type AnyTask, type Errand, type ErrandOptions, type ErrandParts } from "./task.ts";

export class Planner {
  readonly #definitions: Definitions;
  readonly #runtime: Runtime;
  readonly #warned: Set<string> = new Set();

  constructor(definitions: Definitions, runtime: Runtime) {
    this.#definitions = definitions;
    this.#runtime = runtime;
  }

  /** The job of an errand. A promise only where its schema is asynchronous. `id` stands in where the errand has none. */
  job(errand: Errand, id?: string): Maybe<NewJob> {
    const parts = partsOfErrand(errand);
    this.#definitions.task(parts.task.name);
    const parsed = parse(parts.task.input, parts.input, owner(parts.task));
    return parsed instanceof Promise ? parsed.then(() => this.#jobOf(parts, id)) : this.#jobOf(parts, id);
  }

  /** As {@link job}, where nothing may be awaited. Throws `schema-async`. */
  jobNow(errand: Errand, id?: string): NewJob {
    const parts = partsOfErrand(errand);
    this.#definitions.task(parts.task.name);
    parseNow(parts.task.input, parts.input, owner(parts.task));
    return this.#jobOf(parts, id);
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

  #jobOf(parts: ErrandParts, id: string | undefined): NewJob {
    const { task, input, options } = parts;
    const payload = this.#encode(task.input === undefined ? (input ?? {}) : input, task.name);
    const unique = uniqueOf(task, input);
    const lane = laneOf(task, input, unique);
    const jobId = options.id ?? id ?? this.#runtime.id();
    const { log } = this.#runtime;
    if (log.isLevelEnabled?.("debug") ?? true) log.debug({ job: jobId, task: task.name }, "scheduling");
    return {
      kind: "job",
      id: jobId,
      content: options.id === undefined ? "" : contentOf(task.name, payload),
      rememberMs: options.id === undefined ? 0 : defaults.rememberMs,
      task: task.name,
      queue: task.policy.queue,
      payload,
      headStartMs: options.priority === undefined ? task.policy.headStartMs : defaults.headStartMs[options.priority],
      keep: task.policy.keep,
      ...timesOf(options, task.name),
      ...(lane && { lane }),
      ...(unique && { unique }),
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

function timesOf(options: ErrandOptions, name: string): Partial<NewJob> {
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

function requireKeys(fields: readonly string[], payload: unknown, name: string, option: string): unknown[] {
  const values = keyValues(fields, payload);
  const missing = fields[values.indexOf(undefined)];
  if (missing === undefined) return values;
  throw new ErrandError("key-missing", `the payload of ${name} has no text, number or boolean at "${missing}", which ${option} names; add it to the payload`, {
    details: { name, field: missing },
  });
}
