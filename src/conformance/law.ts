/** A law: one claim that every engine must hold, as a program that throws where it does not. */
import type { World } from "./world.ts";

export type Guarantee = `G${number}`;

export interface Law {
  /** A claim: "a lease that was taken over cannot settle". */
  readonly name: string;
  /** The guarantee it belongs to, "G1" to "G22". */
  readonly guarantee: Guarantee;
  /** Where a store is spread over several parts it is claimed of each of them, and not between them: what is not. */
  readonly between?: string;
  /** Throws {@link LawBroken} with what was expected and what came. */
  run(world: World): Promise<void>;
}

export function law(guarantee: Guarantee, name: string, run: (world: World) => Promise<void>): Law {
  return { name, guarantee, run };
}

/** One law for each row of a table; `name` makes a claim of the row. */
export function lawsOf<Row>(guarantee: Guarantee, rows: readonly Row[], name: (row: Row) => string, run: (world: World, row: Row) => Promise<void>): Law[] {
  return rows.map((row) => law(guarantee, name(row), (world) => run(world, row)));
}
