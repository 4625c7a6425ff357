/** Keeps all homes of a store in one era: where one has lost something, all begin another (rebirth.ts). Whoever notices does it; all who do, do the same. */
import { createHash } from "node:crypto";
import type { At } from "../../core/engine.ts";
import { ErrandError } from "../../core/errors.ts";
import type { Main } from "../fragment.ts";
import { rebirthScript, standingScript } from "../rebirth.ts";
import type { Mailing } from "./carrier.ts";

interface Lost {
  readonly home: number;
  /** The one that it began by itself. */
  readonly era: string;
}

interface Rebirth {
  readonly number: number;
  readonly era: string;
  readonly lost: readonly Lost[];
}

interface Standing {
  readonly era: string;
  /** The last one of the whole that it heard of. */
  readonly whole: string;
  readonly number: number;
  readonly rebirth?: Rebirth;
}

/** Each goes on with what another one began, so one that finds nothing to go on with is rare. */
const triesMax = 10;

export class Eras {
  readonly #homes: readonly Mailing[];
  #healing: Promise<string> | undefined;

  constructor(homes: readonly Mailing[]) {
    this.#homes = homes;
  }

  /** The era of the whole, where these that the homes told are one; else the one that all have begun by then. */
  async ofAll(eras: readonly string[], at: At<unknown>): Promise<string> {
    const [first, ...others] = new Set(eras);
    if (first !== undefined && others.length === 0) return first;
    return (this.#healing ??= this.#heal(at).finally(() => (this.#healing = undefined)));
  }

  async #heal(at: At<unknown>): Promise<string> {
    for (let tried = 0; tried < triesMax; tried += 1) {
      const standings = await this.#all(standingScript, "run", {}, at);
      const next = rebirthOf(standings);
      if (next === undefined) return standings[0]?.whole ?? "";
      await this.#all(rebirthScript, "write", next, at);
    }
    throw new ErrandError("conflict-retry", "the partitions of the store begin eras faster than they can be told of each other's; try again");
  }

  #all(main: Main, how: "run" | "write", asked: object, at: At<unknown>): Promise<readonly Standing[]> {
    return Promise.all(
      this.#homes.map(async (home) => {
        const { rebirth, ...standing } = JSON.parse((await home.call(main, how, asked, at))[0] as string) as Standing;
        // An empty table of Lua is not told apart from a list.
        return rebirth === undefined ? standing : { ...standing, rebirth: { ...rebirth, lost: Array.isArray(rebirth.lost) ? rebirth.lost : [] } };
      }),
    );
  }
}

/** Undefined where all are in one era. One that was begun is gone on with, unless a home has lost something since. */
function rebirthOf(standings: readonly Standing[]): Rebirth | undefined {
  const lost = standings.flatMap(({ era, whole }, home) => (era === whole ? [] : [{ home, era }]));
  const numbers = new Set(standings.map(({ number }) => number));
  if (lost.length === 0 && numbers.size === 1) return undefined;
  const latest = standings.reduce((one, other) => (other.number > one.number ? other : one));
  const begun = latest.rebirth;
  const isKnown = ({ home, era }: Lost): boolean => begun?.lost.some((known) => known.home === home && known.era === era) === true;
  if (begun !== undefined && numbers.size > 1 && lost.every(isKnown)) return begun;
  const text = JSON.stringify(standings.map(({ era, whole, number }) => [era, whole, number]));
  return { number: latest.number + 1, era: createHash("sha256").update(text).digest("hex").slice(0, 32), lost };
}
