/** Engines that are wrong where a message is lost: the checks of this folder must see each. */
import type { Atom, Engine, Enqueued, NewWork } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import { Wrapped } from "../model/wrapped.ts";
import type { Wrong } from "./judged.ts";
import type { Fault, Around } from "./trial.ts";

export interface Bug {
  readonly name: string;
  readonly around: Around;
  /** Where it shows. */
  readonly scene: string;
  readonly fault: Fault;
  readonly is: Wrong;
}

class CallsAllDefinite extends Wrapped {
  override async enqueue(...asked: Parameters<Engine["enqueue"]>): Promise<(Enqueued[] | ErrandError)[]> {
    try {
      return await this.inner.enqueue(...asked);
    } catch (error) {
      throw new ErrandError("store-unreachable", "the store cannot be reached; try again", { cause: error, isDefinite: true });
    }
  }
}

class HopesForTheBest extends Wrapped {
  override async enqueue(atoms: readonly Atom[], at: Parameters<Engine["enqueue"]>[1]): Promise<(Enqueued[] | ErrandError)[]> {
    try {
      return await this.inner.enqueue(atoms, at);
    } catch {
      return atoms.map(({ works }) => works.map(({ id }) => ({ id, isDuplicate: false, state: "ready" })));
    }
  }
}

/** Tries again by itself what may have been stored, under an id of its own. */
class StoresAnew extends Wrapped {
  #calls = 0;

  override async enqueue(atoms: readonly Atom[], at: Parameters<Engine["enqueue"]>[1]): Promise<(Enqueued[] | ErrandError)[]> {
    this.#calls += 1;
    const renamed = (work: NewWork): NewWork => (this.#calls === 1 ? work : { ...work, id: `${work.id}-${this.#calls}` });
    return this.inner.enqueue(
      atoms.map((atom) => ({ ...atom, works: atom.works.map(renamed) })),
      at,
    );
  }
}

class GivesUpForGood extends Wrapped {
  #broken: unknown;

  override async enqueue(...asked: Parameters<Engine["enqueue"]>): Promise<(Enqueued[] | ErrandError)[]> {
    if (this.#broken !== undefined) throw this.#broken;
    try {
      return await this.inner.enqueue(...asked);
    } catch (error) {
      this.#broken = error;
      throw error;
    }
  }
}

export const bugs: readonly Bug[] = [
  { name: "calls a lost reply definite", around: (engine) => new CallsAllDefinite(engine), scene: "enqueues one", fault: "lost", is: "falselyDefinite" },
  {
    name: "acknowledges what may not have arrived",
    around: (engine) => new HopesForTheBest(engine),
    scene: "enqueues one",
    fault: "cut",
    is: "falseAcknowledgements",
  },
  { name: "stores a call that is repeated twice", around: (engine) => new StoresAnew(engine), scene: "enqueues one", fault: "lost", is: "twice" },
  { name: "does not connect again", around: (engine) => new GivesUpForGood(engine), scene: "enqueues one", fault: "frozen", is: "notGoingOn" },
];
