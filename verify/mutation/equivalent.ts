/** Mutants that change nothing that anybody could see, each with the reason. They are neither tried nor counted among those that are, but told apart. */
import { readFileSync } from "node:fs";
import { inRoot } from "../../scripts/root.ts";
import type { Mutant } from "./mutants.ts";

export interface Equivalent {
  readonly file: string;
  /** The whole line, so that the reason is thought over when it changes. */
  readonly line: string;
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

const equivalents: readonly Equivalent[] = [
  {
    file: "src/core/schedule/edit.ts",
    line: 'const unset = changes.filter(([, value]) => value === null).map(([name]) => (name === "jitter" ? "jitterMs" : name) as keyof Rule);',
    from: "value === null",
    to: "true",
    why: "what is taken away and set in the same change is set",
  },
  {
    file: "src/core/schedule/edit.ts",
    line: 'if (overlap === "wait" && input?.unique !== undefined)',
    from: "input?.unique",
    to: "input.unique",
    why: "a rule without an input is that of a batch, which is refused a line above",
  },
  {
    file: "src/core/schedule/zone.ts",
    line: "known.set(String(name), made);",
    from: "known.set(String(name), made);",
    to: ";",
    why: "a zone is made anew each time, and is the same",
  },
  {
    file: "src/core/schedule/cron.ts",
    line: "if (known.size >= patternsKept && oldest !== undefined) known.delete(oldest);",
    from: "known.size >= patternsKept && oldest !== undefined",
    to: "(known.size >= patternsKept || oldest !== undefined)",
    why: "one pattern is kept and not many, and each is read anew as it was",
  },
  {
    file: "src/core/schedule/zone.ts",
    line: "if (this.#offsets.size >= offsetsKept) this.#offsets.clear();",
    from: "this.#offsets.size >= offsetsKept",
    to: "this.#offsets.size < offsetsKept",
    why: "one offset is kept and not many, and each is found anew as it was",
  },
  {
    file: "src/core/worker/stranded.ts",
    line: '{ of: "jobs", where: { states: ["running"] }, limit: pageMax, ...(after !== undefined && { after }) },',
    from: "after !== undefined",
    to: "true",
    why: "a page after nothing is the first, as where it is absent",
  },
  {
    file: "src/core/schedule/rule.ts",
    line: "...(join !== undefined && { join: named(join) }),",
    from: "join !== undefined",
    to: "true",
    why: "a member of no join is undefined to itself, as where it is absent",
  },
  {
    file: "src/core/tryNow/outbox.ts",
    line: "if (!isDefinite(error)) for (const { claim } of outcomes.slice(0, claimMax)) this.#doubtful.add(claim);",
    from: "outcomes.slice(0, claimMax)",
    to: "outcomes",
    why: "no more than claimMax are taken for a call",
  },
  {
    file: "src/core/worker/before.ts",
    line: "for (let depth = 0; id !== undefined && depth <= nestingMax; depth++) {",
    from: "depth++",
    to: "depth--",
    why: "joins nest less deeply than the bound, by the planner and by every engine; it is for a store that was changed by hand",
  },
  {
    file: "src/core/worker/hands.ts",
    line: "return perJobMs === 0 ? claimMax : Math.min(claimMax, Math.floor(claimAheadMs / perJobMs));",
    from: "perJobMs === 0",
    to: "false",
    why: "what is divided by nothing is Infinity, of which claimMax is the less",
  },
  {
    file: "src/core/within.ts",
    line: "flattened(await engine.enqueue([{ works }], { ...at(runtime), tx }), () => store(works));",
    from: "() => store(works)",
    to: "() => undefined",
    why: "one atom is stored or refused as a whole, so that there is no rest to repeat",
  },
];

export function isEquivalent({ file, line, from, to }: Mutant): boolean {
  const text = readFileSync(inRoot(file), "utf8").split("\n")[line - 1]?.trim();
  return equivalents.some((one) => one.file === file && one.line === text && one.from === from && one.to === to);
}
