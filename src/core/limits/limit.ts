/** What a task says of how many of its jobs may run or start: over all of them, or for each key. */
import { keyLimitsMax, limitMax } from "../defaults.ts";
import { durationMs, type Duration } from "../duration.ts";
import type { KeyLimit } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import { aKey, fieldsOf } from "../event.ts";
import type { StoredKeyLimit, StoredLimit } from "../notes.ts";
import { aWholeNumber, checkOptions, refuse } from "../options.ts";
import type { Key } from "../typing.ts";

/** At most so many at once. */
export interface RunningLimit {
  readonly running: number;
}
/** At most so many starts in any window of that length. */
export interface StartsLimit {
  readonly starts: number;
  readonly every: Duration;
}
export type Limit<In> = (RunningLimit | StartsLimit) & {
  /** For each value of these fields of the payload. Default: over all jobs of the task. */
  readonly per?: Key<In>;
  /** Other numbers for single values of a key of one field: weights between tenants. */
  readonly except?: Readonly<Record<string, number>>;
};
type AnyLimit = Limit<unknown>;

/** A limit over all jobs of a task, and the name that claims ask for it by. */
export interface Gate {
  readonly name: string;
  readonly limit: StoredLimit;
}

const limitsMax = 16;
const exceptionsMax = 1_000;
const aCount = aWholeNumber(1, limitMax);

/** Accepts a task's list of limits. Throws `option-invalid`, `option-unknown`. */
export function someLimits(value: unknown, path: string): void {
  if (!Array.isArray(value) || value.length > limitsMax) refuse(path, value, `a list of up to ${limitsMax} limits, as in [{ running: 50 }]`);
  for (const [index, limit] of value.entries()) checkLimit(limit, `${path}[${index}]`);
}

/** Accepts `{ running }` or `{ starts, every }`. */
export function checkAmount(value: unknown, path: string): void {
  checkOptions(value, path, { running: aCount, starts: aCount, every: aWindow });
  refuseHalf(value as Partial<RunningLimit & StartsLimit>, path);
}

export function gatesOf(task: string, limits: readonly AnyLimit[] | undefined): readonly Gate[] {
  const gates = (limits ?? []).filter(({ per }) => per === undefined).map((limit) => gateOf(task, storedOf(limit)));
  const twice = firstTwice(gates.map(({ name }) => name));
  if (twice !== undefined) throw taken(task, "over all its jobs");
  return gates;
}

/** The gate of a task that a limit of that kind stands at. */
export function gateOf(task: string, limit: StoredLimit): Gate {
  return { name: `${gatePrefix(task)}${kindOf(limit)}`, limit };
}

/** A task's name holds no slash, so no two tasks meet. */
export const gatePrefix = (task: string): string => `task/${task}/`;

export function keyLimitsOf(task: string, limits: readonly AnyLimit[] | undefined): readonly StoredKeyLimit[] | undefined {
  const keyed = (limits ?? []).flatMap((limit) => keyLimitOf(task, limit));
  if (keyed.length === 0) return undefined;
  if (keyed.length > keyLimitsMax)
    throw new ErrandError("definition-invalid", `task("${task}") has ${keyed.length} limits per key, of ${keyLimitsMax} allowed; leave some out`);
  const twice = firstTwice(keyed.map(({ scope }) => scope));
  if (twice !== undefined) throw taken(task, `per ${keyed.find(({ scope }) => scope === twice)?.per.join(", ")}`);
  return keyed;
}

export function storedOf(limit: RunningLimit | StartsLimit): StoredLimit {
  return "running" in limit ? { running: limit.running } : { starts: limit.starts, everyMs: durationMs(limit.every, "every") };
}

function keyLimitOf(task: string, limit: AnyLimit): StoredKeyLimit[] {
  const per = fieldsOf(limit.per as string | readonly string[] | undefined);
  if (per === undefined) return [];
  const is: KeyLimit["is"] = storedOf(limit);
  return [{ scope: `${task}/${kindOf(is)}/${per.join(",")}`, per, is, ...(limit.except && { except: limit.except }) }];
}

function kindOf(limit: StoredLimit): string {
  return "running" in limit ? "running" : `starts-in-${limit.everyMs}ms`;
}

function checkLimit(value: unknown, path: string): void {
  checkOptions(value, path, { running: aCount, starts: aCount, every: aWindow, per: aKey, except: someExceptions });
  const limit = value as Partial<RunningLimit & StartsLimit> & { readonly per?: string | readonly string[]; readonly except?: unknown };
  refuseHalf(limit, path);
  if (limit.except !== undefined && fieldsOf(limit.per)?.length !== 1)
    refuse(`${path}.except`, limit.except, "it together with per: one field, whose values it names");
}

function refuseHalf({ running, starts, every }: Partial<RunningLimit & StartsLimit>, path: string): void {
  const isOne = running === undefined ? starts !== undefined && every !== undefined : starts === undefined && every === undefined;
  if (!isOne) refuse(path, { running, starts, every }, 'either { running: 50 } or { starts: 200, every: "1s" }');
}

function aWindow(value: unknown, path: string): void {
  if (durationMs(value as Duration, path) < 1) refuse(path, value, "at least 1ms");
}

function someExceptions(value: unknown, path: string): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(path, value, "a number for each value, as in { acme: 20 }");
  const entries = Object.entries(value);
  if (entries.length > exceptionsMax) refuse(path, value, `at most ${exceptionsMax} values`);
  for (const [name, count] of entries) aCount(count, `${path}.${name}`);
}

function firstTwice(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index);
}

function taken(task: string, where: string): ErrandError {
  return new ErrandError("definition-invalid", `task("${task}") has two limits of one kind ${where}; leave one of them out, or give the starts another every`);
}
