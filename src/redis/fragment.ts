/** Pieces of Lua: modules that a script builds when it first uses them, and the main part of each verb. */

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

/** What a verb does with its request: ends with `return finish(answer)`. */
export interface Main {
  readonly verb: string;
  readonly main: string;
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

/** Of all modules those that `main` uses, and those that these use. */
export function assembled({ verb, main }: Main, prelude: string, modules: ReadonlyMap<string, Fragment>): Script {
  const used = new Map<string, Fragment>();
  const texts = [prelude, main];
  for (let text = texts.shift(); text !== undefined; text = texts.shift()) {
    for (const [, name = ""] of text.matchAll(/\bU\.(\w+)/g)) {
      const module = modules.get(name);
      if (module === undefined) throw new Error(`the Lua of ${verb} uses a module ${name} that does not exist`);
      if (used.has(name)) continue;
      used.set(name, module);
      texts.push(module.text);
    }
  }
  return { name: verb, text: [prelude, builder([...used.values()]), "begin()", main].join("\n") };
}
