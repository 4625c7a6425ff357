/** Scopes of core's own parts: those whose doings are several calls each. */
import type { CoreScope } from "./corePlay.ts";
import { all as holding } from "./holding.ts";
import { all as relaying } from "./relaying.ts";
import { all as schedules } from "./schedules.ts";

export const coreScopes: readonly CoreScope[] = [...schedules, ...holding, ...relaying];

/** Those that take seconds. */
const small: ReadonlySet<string> = new Set(["schedule ticks against nothing else", "schedule ticks against its removal", "an outbox and two relays"]);

/** Undefined: it is played in a wide run alone. */
export function usualCoreFaults({ name }: CoreScope): number | undefined {
  return small.has(name) ? 0 : undefined;
}

export function coreScopeNamed(name: string): CoreScope {
  const scope = coreScopes.find((each) => each.name === name);
  if (scope === undefined) throw new RangeError(`there is no scope of core named "${name}"`);
  return scope;
}
