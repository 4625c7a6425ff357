/** Standard Schema v1, by the members errand uses: zod, valibot, arktype, effect … https://standardschema.dev */
import { ErrandError } from "./errors.ts";
import type { Maybe } from "./engine.ts";

export interface Schema<In, Out = In> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Maybe<{ readonly value: Out; readonly issues?: undefined } | { readonly issues: readonly Issue[] }>;
    readonly types?: { readonly input: In; readonly output: Out } | undefined;
  };
}
export interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The schema's output for `value`; without a schema the value itself. Throws or rejects with `payload-invalid`. */
export function parse(schema: Schema<unknown> | undefined, value: unknown, owner: string, what: string = "payload"): Maybe<unknown> {
  if (schema === undefined) return value;
  const result = schema["~standard"].validate(value);
  return result instanceof Promise ? result.then((settled) => outputOf(settled, owner, what)) : outputOf(result, owner, what);
}

/** As {@link parse}, where nothing may be awaited. Throws `schema-async`. */
export function parseNow(schema: Schema<unknown> | undefined, value: unknown, owner: string): unknown {
  const output = parse(schema, value, owner);
  if (!(output instanceof Promise)) return output;
  output.catch(() => undefined); // its answer is of no use any more
  throw new ErrandError(
    "schema-async",
    `the schema of ${owner} is asynchronous and cannot be used inside a synchronous transaction; use a synchronous schema, or enqueue outside the transaction`,
  );
}

type Result = { readonly value: unknown; readonly issues?: undefined } | { readonly issues: readonly Issue[] };

function outputOf(result: Result, owner: string, what: string): unknown {
  if (result.issues === undefined) return result.value;
  const issues = result.issues.slice(0, 10).map(describe);
  throw new ErrandError("payload-invalid", `the ${what} of ${owner} does not fit its schema: ${issues.join("; ")}; correct the ${what} or the schema`, {
    details: { owner, issues: result.issues.slice(0, 10).map((issue) => ({ message: issue.message, path: pathOf(issue) })) },
  });
}

function describe(issue: Issue): string {
  const path = pathOf(issue);
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}

function pathOf(issue: Issue): string {
  return (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");
}
