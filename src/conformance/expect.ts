/** What laws compare with: each failure tells what was expected and what came. Bound to no test framework. */
import { isDeepStrictEqual } from "node:util";
import { inspect } from "node:util";
import { ErrandError, type ErrorCode } from "../core/errors.ts";

/** A law does not hold. */
export class LawBroken extends Error {
  readonly expected: unknown;
  readonly got: unknown;

  constructor(claim: string, expected: unknown, got: unknown) {
    super(`${claim}: expected ${shown(expected)}, got ${shown(got)}`);
    this.name = "LawBroken";
    this.expected = expected;
    this.got = got;
  }
}

/** Deep and strict: -0 is not 0, undefined is not absent. */
export function equal(got: unknown, expected: unknown, claim: string): void {
  if (!isDeepStrictEqual(got, expected)) throw new LawBroken(claim, expected, got);
}

export function holds(condition: boolean, claim: string, got: unknown = condition): asserts condition {
  if (!condition) throw new LawBroken(claim, "it to hold", got);
}

export function between(got: number | undefined, least: number, most: number, claim: string): void {
  if (got === undefined || !(got >= least && got <= most)) throw new LawBroken(claim, `${least} to ${most}`, got);
}

/** The value, which must be there. */
export function present<T>(value: T | undefined, claim: string): T {
  if (value === undefined) throw new LawBroken(claim, "a value", undefined);
  return value;
}

export function matches(got: string | undefined, pattern: RegExp, claim: string): void {
  if (got === undefined || !pattern.test(got)) throw new LawBroken(claim, pattern, got);
}

/** The ErrandError that `attempt` must end in. */
export async function refused(attempt: () => unknown, code: ErrorCode, claim: string): Promise<ErrandError> {
  let answer: unknown;
  try {
    answer = await attempt();
  } catch (error) {
    if (ErrandError.is(error, code)) return error;
    throw new LawBroken(claim, `to be refused with ${code}`, error);
  }
  throw new LawBroken(claim, `to be refused with ${code}`, answer);
}

/** Each is greater than the one before. */
export function grows(values: readonly number[], claim: string): void {
  const at = values.findIndex((value, index) => index > 0 && value <= (values[index - 1] ?? 0));
  if (at > 0) throw new LawBroken(claim, "each greater than the one before", values.slice(at - 1, at + 1));
}

function shown(value: unknown): string {
  return inspect(value, { depth: 6, breakLength: 160, maxStringLength: 400, maxArrayLength: 40 });
}
