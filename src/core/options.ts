/** Options are checked where they are given: a misspelt one names the right one, a wrong value says what is right. */
import { ErrandError } from "./errors.ts";
import { didYouMean } from "./names.ts";

type Check = (value: unknown, path: string) => void;

/** Throws `option-unknown` or `option-invalid` unless `options` is a plain object whose every property passes its check. Undefined counts as absent. */
export function checkOptions(options: unknown, owner: string, checks: Readonly<Record<string, Check>>): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) refuse(owner, options, "an object of options");
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (check === undefined) throw unknownOption(name, owner, Object.keys(checks));
    if (value !== undefined) check(value, `${owner}.${name}`);
  }
}

export const aString: Check = (value, path) => {
  if (typeof value !== "string" || value === "") refuse(path, value, "a text");
};
export const aBoolean: Check = (value, path) => {
  if (typeof value !== "boolean") refuse(path, value, "true or false");
};
export const aFunction: Check = (value, path) => {
  if (typeof value !== "function") refuse(path, value, "a function");
};
export const aDate: Check = (value, path) => {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) refuse(path, value, "a valid Date");
};
export const aSchema: Check = (value, path) => {
  const standard = (value as { readonly "~standard"?: { readonly validate?: unknown } } | null)?.["~standard"];
  if (typeof standard?.validate !== "function") refuse(path, value, "a Standard Schema (zod, valibot, arktype …)");
};
export const aSignal: Check = (value, path) => {
  if (!(value instanceof AbortSignal)) refuse(path, value, "an AbortSignal");
};
export const anything: Check = () => undefined;

export function aWholeNumber(least: number, most: number): Check {
  return (value, path) => {
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) refuse(path, value, `a whole number from ${least} to ${most}`);
  };
}

export function oneOf(...allowed: readonly string[]): Check {
  return (value, path) => {
    if (typeof value !== "string" || !allowed.includes(value)) refuse(path, value, allowed.map((name) => `"${name}"`).join(" or "));
  };
}

/** Throws `option-invalid`. */
export function refuse(path: string, value: unknown, wanted: string): never {
  throw new ErrandError("option-invalid", `${path} is ${shown(value)}; give ${wanted}`, { details: { option: path } });
}

function unknownOption(name: string, owner: string, known: readonly string[]): ErrandError {
  const guess = didYouMean(name, known) || `; it takes ${known.join(", ")}`;
  return new ErrandError("option-unknown", `${owner} has no option "${name}"${guess}`, { details: { option: `${owner}.${name}`, known } });
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : `an object (${value.constructor?.name ?? "without prototype"})`;
  return String(value);
}
