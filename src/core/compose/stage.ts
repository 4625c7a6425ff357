/**
 * A call above one atom, as atoms to be stored one after the other. A batch that fits into none is staged: its members are stored in idempotent
 * parts that nobody sees, and the last atom, with its callbacks, seals it. What the caller is told is stored in full, or has no effect.
 */
import { enqueueMax } from "../defaults.ts";
import type { Atom, NewJob, NewJoin, NewWork } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import type { Plan } from "./plan.ts";

/** Stored in one call to the engine. */
export interface Stage {
  readonly atoms: readonly Atom[];
  /** Part of a batch that is not sealed yet: as good as not stored. */
  readonly isHidden: boolean;
}

/** An fsync is shared by so many atoms; others wait no longer behind them. */
const atomsPerStage = 8;

/** Throws `enqueue-too-many` where jobs that come after each other do not fit into one atom, and are in no batch. */
export function stagesOf({ works, units = [] }: Plan): readonly Stage[] {
  const stages: Stage[] = [];
  const small: NewWork[][] = [];
  for (const part of partsOf(works, units)) {
    if (part.works.length <= enqueueMax) small.push(part.works);
    else stages.push(...staged(part));
  }
  return [...inStages(packed(small), false), ...stages];
}

interface Part {
  readonly works: NewWork[];
  readonly units: Set<number>;
}

/** Works of errands that come after each other stay together. In the order of storing. */
function partsOf(works: readonly NewWork[], units: readonly number[]): readonly Part[] {
  const unitOf = new Map(works.map(({ id }, index) => [id, units[index] ?? index]));
  const leader = new Map<number, number>();
  const find = (unit: number): number => {
    let top = unit;
    for (let above = leader.get(top); above !== undefined; above = leader.get(top)) top = above;
    if (top !== unit) leader.set(unit, top);
    return top;
  };
  works.forEach((work, index) => {
    for (const { id } of afterOf(work)) {
      const [one, other] = [find(units[index] ?? index), find(unitOf.get(id) ?? units[index] ?? index)];
      if (one !== other) leader.set(one, other);
    }
  });
  const parts = new Map<number, Part>();
  works.forEach((work, index) => {
    const unit = units[index] ?? index;
    const top = find(unit);
    const part = parts.get(top) ?? { works: [], units: new Set() };
    part.works.push(work);
    part.units.add(unit);
    parts.set(top, part);
  });
  return [...parts.values()];
}

function packed(parts: readonly NewWork[][]): Atom[] {
  const atoms: NewWork[][] = [];
  for (const part of parts) {
    const last = atoms.at(-1);
    if (last === undefined || last.length + part.length > enqueueMax) atoms.push([...part]);
    else last.push(...part);
  }
  return atoms.map((works) => ({ works }));
}

function staged({ works, units }: Part): Stage[] {
  const outside = works.filter(isOutside);
  const inside = works.filter((work) => !isOutside(work));
  const joins = inside.filter((work): work is NewJoin => work.kind === "join" && work.join === undefined);
  const names = new Set(outside.map(({ id }) => id));
  if (units.size > 1 || outside.length + joins.length > enqueueMax || inside.some((work) => afterOf(work).some(({ id }) => names.has(id))))
    throw tooLarge(works.length);
  const sizes = sizesOf(inside);
  const seals = joins.map((join) => sealOf(join, sizes));
  return [...inStages(chunksOf(inside, sizes), true, mayBeRenamed(works)), { atoms: [{ works: [...outside, ...seals] }], isHidden: false }];
}

function isOutside(work: NewWork): boolean {
  return work.kind === "job" && work.join === undefined;
}

/** Roots stay open; a join within them is sealed with its last member. Each atom tells again of the joins that it adds to, so that the store knows a repeat. */
function chunksOf(works: readonly NewWork[], sizes: ReadonlyMap<string, number>): Atom[] {
  const joins = new Map(works.flatMap((work) => (work.kind === "join" ? [[work.id, { ...work, isSealed: false }]] : [])));
  const missing = new Map(sizes);
  const chunks: Chunk[] = [];
  const add = (...added: readonly NewWork[]): Chunk => {
    const last = chunks.at(-1);
    const chunk = last !== undefined && last.size + 2 * added.length <= enqueueMax ? last : new Chunk(joins);
    if (chunk !== last) chunks.push(chunk);
    for (const work of added) chunk.add(work);
    return chunk;
  };
  for (const work of works) {
    const isEmpty = work.kind === "join" && work.join !== undefined && !sizes.has(work.id);
    const chunk = add(work.kind === "join" ? { ...work, isSealed: isEmpty } : work);
    const join = work.kind === "event" ? undefined : joins.get(work.join ?? "");
    if (join === undefined) continue;
    const left = (missing.get(join.id) ?? 0) - 1;
    missing.set(join.id, left);
    if (left === 0 && join.join !== undefined && !chunk.seals(join)) add(sealOf(join, sizes));
  }
  return chunks.map(({ works: some }) => ({ works: some }));
}

/** One atom in the making. */
class Chunk {
  readonly works: NewWork[] = [];
  readonly #joins: ReadonlyMap<string, NewJoin>;
  /** Where each join stands here, and whether here first. */
  readonly #at: Map<string, { readonly position: number; readonly isFirst: boolean }> = new Map();

  constructor(joins: ReadonlyMap<string, NewJoin>) {
    this.#joins = joins;
  }

  get size(): number {
    return this.works.length;
  }

  add(work: NewWork): void {
    const join = work.kind === "event" ? undefined : this.#joins.get(work.join ?? "");
    if (join !== undefined && !this.#at.has(join.id)) this.#put(join, false);
    this.#put(work, true);
  }

  /** Where all of a join is in this atom, it is sealed from its beginning. */
  seals(join: NewJoin): boolean {
    const place = this.#at.get(join.id);
    if (place?.isFirst !== true) return false;
    this.works[place.position] = { ...join, isSealed: true };
    return true;
  }

  #put(work: NewWork, isFirst: boolean): void {
    const position = this.works.push(work) - 1;
    if (work.kind === "join" && !this.#at.has(work.id)) this.#at.set(work.id, { position, isFirst });
  }
}

function sealOf(join: NewJoin, sizes: ReadonlyMap<string, number>): NewJoin {
  return { ...join, isSealed: true, size: sizes.get(join.id) ?? 0 };
}

/** How many members each join is given. */
function sizesOf(works: readonly NewWork[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const work of works) if (work.kind !== "event" && work.join !== undefined) sizes.set(work.join, (sizes.get(work.join) ?? 0) + 1);
  return sizes;
}

/** A job that others come after may turn out to be one that stands already, under another id. */
function mayBeRenamed(works: readonly NewWork[]): boolean {
  const named = new Set(works.flatMap((work) => afterOf(work).map(({ id }) => id)));
  return works.some((work) => work.kind === "job" && work.unique !== undefined && named.has(work.id));
}

function inStages(atoms: readonly Atom[], isHidden: boolean, isOneByOne: boolean = false): Stage[] {
  const size = isOneByOne ? 1 : atomsPerStage;
  return Array.from({ length: Math.ceil(atoms.length / size) }, (_, index) => ({ atoms: atoms.slice(index * size, (index + 1) * size), isHidden }));
}

export function afterOf(work: NewWork): NonNullable<NewJob["after"]> {
  return work.kind === "event" ? [] : (work.after ?? []);
}

function tooLarge(works: number): ErrandError {
  return new ErrandError(
    "enqueue-too-many",
    `${works} jobs and batches that come after each other do not fit into one atom of ${enqueueMax}; put all of them into one batch, as in batch([…])`,
    { details: { works, most: enqueueMax } },
  );
}
