/** Pieces of Lua: modules that a script builds when it first uses them, and the main part of each verb. */
import { usedBy } from "./pieces.ts";

/** A module: `text` defines functions of the table `M`, and finds other modules in `U`. */
export interface Fragment {
  readonly name: string;
  readonly text: string;
}

/** A whole script, as the server takes it. */
export interface Script {
  readonly name: string;
  readonly text: string;
}

/** What a verb does with its request. */
export interface Main {
  readonly verb: string;
  /** Straight Lua that comes before all that others begin with, and uses nothing of it: it answers, or leaves all to `main`. */
  readonly first?: string;
  /** Ends with `return finish(answer)`. */
  readonly main?: string;
}

export function fragment(name: string, text: string): Fragment {
  return { name, text };
}

export function script(verb: string, main: string): Main {
  return { verb, main };
}

/** One function for all: each of its own would be made, and thrown away, in every call. */
function builder(modules: readonly Fragment[]): string {
  const parts = modules.map(({ name, text }) => `if name == "${name}" then\n${text}\n`);
  return `R = function(name, M)\n${parts.join("else")}end\nend`;
}

/** With what `main` uses of the modules, and what that uses. */
export function assembled({ verb, first = "", main }: Main, prelude: string, modules: ReadonlyMap<string, Fragment>): Script {
  if (main === undefined) return { name: verb, text: first };
  return { name: verb, text: [first, prelude, builder(usedBy([prelude, main], modules)), "begin()", main].join("\n") };
}
