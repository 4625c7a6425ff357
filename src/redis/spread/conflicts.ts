/** An atom is stored in one home, and what of it begins in others is sent on: so there its ids are looked for before. One that is stored meanwhile keeps the second out. */
import type { At, NewWork } from "../../core/engine.ts";
import type { Refusal } from "../../core/refused.ts";
import { conflictScript } from "../conflict.ts";
import type { Home } from "./home.ts";
import { homeOfText } from "./homes.ts";
import type { Route } from "./routing.ts";

type Conflict = Extract<Refusal, { refusal: "id-conflict" }>;

/**
 * Of each of these, why none of it may be stored; undefined: it may. Asks nobody where nothing is sent on. Ids that errand made meet no other. A member of a join is where
 * that is, and its id may have been used before for a job without one, which is where its id says.
 */
export async function conflictsOf(homes: readonly Home[], routes: readonly (Route | undefined)[], at: At<unknown>): Promise<readonly (Conflict | undefined)[]> {
  const asked = new Map<number, NewWork[]>();
  for (const route of routes) {
    for (const work of route?.works ?? []) {
      if (work.rememberMs === 0) continue;
      for (const home of new Set([route?.homes.get(work.id) ?? 0, ...(isComposed(work) ? [homeOfText(work.id, homes.length)] : [])])) {
        if (home !== route?.home) asked.set(home, [...(asked.get(home) ?? []), work]);
      }
    }
  }
  if (asked.size === 0) return [];
  const told = await Promise.all(Array.from(asked, ([home, works]) => ask(homes[home], works, at)));
  const conflicts = new Map(told.flat().map((conflict) => [conflict.id, conflict]));
  return routes.map((route) => route?.works.map(({ id }) => conflicts.get(id)).find((conflict) => conflict !== undefined));
}

function isComposed(work: NewWork): boolean {
  return work.kind === "job" && (work.join !== undefined || work.after !== undefined);
}

async function ask(home: Home | undefined, works: readonly NewWork[], at: At<unknown>): Promise<readonly Conflict[]> {
  const asked = works.map(({ kind, id, content }) => ({ kind, id, content }));
  const [text] = (await home?.verbs.call(conflictScript, "run", { works: asked }, at)) ?? [];
  const told: unknown = typeof text === "string" ? JSON.parse(text) : [];
  return Array.isArray(told) ? (told as readonly Conflict[]) : [];
}
