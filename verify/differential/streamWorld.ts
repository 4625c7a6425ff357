/** One stream of operations: the model beside the first engine, the others beside both. */
import type { Engine } from "../../src/core/engine.ts";
import { notesOf, sorted } from "../model/compare.ts";
import { mustEqual } from "../model/divergence.ts";
import { gateNames } from "../model/plans.ts";
import { viewOf } from "../model/view.ts";
import type { Names, View } from "../model/view.ts";
import { World } from "../model/world.ts";
import { Parted, unordered } from "./partitions.ts";
import type { Together } from "./together.ts";

export class StreamWorld extends World {
  /** The first engine alone: the others are asked for all they have by {@link compareStates}. */
  override look(): Promise<View> {
    return viewOf(this.#together.first, this.now, this.#names);
  }

  async compareStates(): Promise<void> {
    const { first, engines } = this.#together;
    const views = await Promise.all(engines.map((engine) => viewOf(engine, this.now, this.#names)));
    const [expected] = views;
    if (expected === undefined) return;
    for (const [index, view] of views.entries()) if (index > 0) compareStates(engines[index] ?? first, first, view, expected);
  }

  get #together(): Together {
    return this.engine as Together;
  }

  get #names(): Names {
    return { joins: this.joinIds, gates: this.hasGates ? gateNames : [] };
  }
}

function compareStates(engine: Engine, first: Engine, told: View, all: View): void {
  const [got, expected] = engine instanceof Parted ? [unordered(told), unordered(all)] : [told, all];
  const what = `${engine.name} shows otherwise than ${first.name}: `;
  mustEqual(
    `${what}the jobs, in the order of enqueue`,
    got.jobs.map(({ id }) => id),
    expected.jobs.map(({ id }) => id),
  );
  for (const [index, job] of got.jobs.entries()) mustEqual(`${what}job ${job.id}`, job, expected.jobs[index]);
  mustEqual(`${what}the joins, in the order of storing`, got.joins, expected.joins);
  mustEqual(`${what}the notes`, notesOf(got.notes), notesOf(expected.notes));
  for (const list of ["counts", "events", "lanes", "processes", "locks", "gates"] as const)
    mustEqual(`${what}the ${list}`, sorted(got[list]), sorted(expected[list]));
}
