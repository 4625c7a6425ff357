/** Which home a call's works begin in: as `U.route` has it for those that scripts make. What goes on from there, the scripts send on themselves. */
import type * as port from "../../core/engine.ts";
import { homeOfLot, homeOfText } from "./homes.ts";

/** Where a join or a predecessor is that stands in no work before it; undefined: unknown. */
export type Known = (id: string) => number | undefined;

/** A work as scripts of several homes take it: with where its join is, and each of what it comes after. */
type Located = port.NewWork & { readonly joinHome?: number };
type LocatedAfter = port.After & { readonly home?: number };

/** Atoms of one home, and their places in the call. */
export interface Share {
  readonly home: number;
  readonly atoms: port.Atom[];
  readonly places: number[];
  /** Those of which a part is sent on: where their works begin. */
  readonly parted: Map<port.Atom, ReadonlyMap<string, number>>;
}

/** The scope of a lane's, a unique key's or a limit's name is left out: those of one task have the same values, and so the same home. */
export function homeOfName(name: string, count: number): number {
  return homeOfText(name.slice(Math.max(0, name.indexOf("["))), count);
}

/** Of joins and predecessors that these name, those that stand in no work before them. */
export function namedIn(works: readonly port.NewWork[]): readonly string[] {
  const named = new Set<string>();
  const seen = new Set<string>();
  for (const work of works) {
    if (isNaming(work)) {
      for (const id of [work.join, ...(work.after ?? []).map((after) => after.id)]) if (id !== undefined && !seen.has(id)) named.add(id);
    }
    seen.add(work.id);
  }
  return [...named];
}

/** Atoms of so few works go where others go that are made at the same time: several calls are one script then. Larger ones are worth a script of their own. */
const fewMost = 100;

const nowhere: ReadonlyMap<string, number> = new Map();

/** The works of one atom, as they are sent to its home. */
export class Route {
  readonly home: number;
  readonly works: readonly port.NewWork[];
  /** Where each work begins, by its id; of those that nothing leads anywhere it is not asked. */
  readonly homes: ReadonlyMap<string, number>;
  /** Ids of those that go to other homes, at once or later. */
  readonly sentOn: readonly string[];
  /** An id in it may stand in another home. */
  readonly mayConflict: boolean;

  /** `stays`: where a work stays that nothing leads elsewhere; undefined: where the first does that something leads, else by the first id. */
  constructor(works: readonly port.NewWork[], count: number, known: Known, stays?: number) {
    if (works.every(isFree)) {
      this.home = stays ?? homeOfFree(works, count);
      this.works = works;
      this.homes = nowhere;
      this.sentOn = [];
      this.mayConflict = false;
      return;
    }
    const ways = new Map<string, readonly Home[]>();
    const events = new Set(works.filter(({ kind }) => kind === "event").map(({ id }) => id));
    // Nothing comes after an event, or belongs to one: who names it is refused where it is.
    const whereIs = <T>(id: string, here: (id: string) => T | undefined): T | number | undefined => (events.has(id) ? undefined : (here(id) ?? known(id)));
    for (const work of works) {
      const way = wayOf(work, count, (id) => whereIs(id, (earlier) => ways.get(earlier)?.[0]));
      ways.set(work.id, way);
    }
    const led = [...ways.values()].map(([first]) => first).find((first) => first !== "atom's");
    const home = stays ?? led ?? homeOfFree(works, count);
    const settled = (one: Home | undefined): number => (one === undefined || one === "atom's" ? home : one);
    this.home = home;
    this.homes = new Map(Array.from(ways, ([id, [first]]) => [id, settled(first)]));
    this.sentOn = [...ways].flatMap(([id, way]) => (way.some((one) => settled(one) !== home) ? [id] : []));
    this.mayConflict = works.some((work) => work.rememberMs > 0 && (this.sentOn.length > 0 || isNaming(work)));
    this.works = works.some(isNaming) ? works.map((work) => located(work, (id) => whereIs(id, (one) => this.homes.get(one)))) : works;
  }
}

/** By nothing but the first id: a repeat of the call finds what it stored. */
function homeOfFree(works: readonly port.NewWork[], count: number): number {
  const id = works[0]?.id ?? "";
  return works.length > fewMost ? homeOfText(id, count) : homeOfLot(id, count);
}

/** Nothing leads it anywhere, and nobody names it. */
function isFree(work: port.NewWork): boolean {
  if (work.kind !== "job" || work.rememberMs > 0 || work.unique !== undefined || work.lane !== undefined) return false;
  return work.join === undefined && work.after === undefined && (work.keyLimits?.length ?? 0) === 0;
}

/** Of what a work is concerned with: one that only its atom leads. */
type Home = number | "atom's";

/** The homes that a work passes, in order; those next to each other may be the same. */
function wayOf(work: port.NewWork, count: number, whereIs: (id: string) => Home | undefined): readonly Home[] {
  if (work.kind === "event") return [homeOfText(work.id, count)];
  if (work.kind === "join") return [(work.join === undefined ? undefined : whereIs(work.join)) ?? homeOfText(work.id, count)];
  const { join, after = [], unique, lane, keyLimits = [], rememberMs, id } = work;
  const way: Home[] = [];
  for (const named of join === undefined ? after : [{ id: join }, ...after]) {
    const home = whereIs(named.id);
    if (home !== undefined) way.push(home);
  }
  for (const named of [unique, lane, ...keyLimits.toSorted((a, b) => byBytes(a.key, b.key))]) if (named !== undefined) way.push(homeOfName(named.key, count));
  if (way.length > 0) return way;
  return [rememberMs > 0 ? homeOfText(id, count) : "atom's"];
}

/** As the scripts sort. */
function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function isNaming(work: port.NewWork): work is Exclude<port.NewWork, port.NewEvent> {
  return work.kind !== "event" && (work.join !== undefined || work.after !== undefined);
}

function located(work: port.NewWork, whereIs: Known): Located {
  if (!isNaming(work)) return work;
  const joinHome = work.join === undefined ? undefined : whereIs(work.join);
  const after = work.after?.map((one): LocatedAfter => {
    const home = whereIs(one.id);
    return home === undefined ? one : { ...one, home };
  });
  return { ...work, ...(joinHome !== undefined && { joinHome }), ...(after && { after }) };
}

/** An atom with notes goes where notes are decided. */
export function routeOf({ works, notes = [] }: port.Atom, count: number, known: Known): Route {
  return new Route(works, count, known, notes.length > 0 ? 0 : undefined);
}

/**
 * By home, in waves that are sent one after the other: what is sent on from one home must not be overtaken by what the same call sends straight to where that goes, and
 * that has to do with it. `routes`: of each of the atoms; those that have none are left out.
 */
export function wavesOf(atoms: readonly port.Atom[], routes: readonly (Route | undefined)[]): readonly (readonly Share[])[] {
  const isWhole = routes.every((route) => route === undefined || route.sentOn.length === 0);
  const waves: Map<number, Share>[] = [new Map()];
  let senders = new Map<string, number>();
  // What they say is told to all homes: an event hears the subscriptions before it.
  let hasNotes = false;
  for (const [place, atom] of atoms.entries()) {
    const route = routes[place];
    if (route === undefined) continue;
    const names = isWhole ? [] : atom.works.flatMap(namesOf);
    const isAfterNotes = hasNotes && route.home !== 0;
    if (isAfterNotes || names.some((name) => (senders.get(name) ?? route.home) !== route.home)) {
      waves.push(new Map());
      senders = new Map();
      hasNotes = false;
    }
    hasNotes ||= (atom.notes?.length ?? 0) > 0;
    for (const name of names) senders.set(name, route.home);
    put(waves.at(-1) ?? new Map<number, Share>(), { place, atom, route });
  }
  return waves.map((wave) => [...wave.values()]);
}

function put(wave: Map<number, Share>, { place, atom, route }: { readonly place: number; readonly atom: port.Atom; readonly route: Route }): void {
  const share: Share = wave.get(route.home) ?? { home: route.home, atoms: [], places: [], parted: new Map() };
  wave.set(route.home, share);
  const sent = route.works === atom.works ? atom : { ...atom, works: route.works };
  share.atoms.push(sent);
  if (route.sentOn.length > 0) share.parted.set(sent, route.homes);
  share.places.push(place);
}

/** By which it has to do with others. */
function namesOf(work: port.NewWork): readonly string[] {
  if (work.kind === "event") return [work.id];
  const named = [work.id, ...(work.join === undefined ? [] : [work.join]), ...(work.after ?? []).map(({ id }) => id)];
  if (work.kind === "join") return named;
  return [...named, ...[work.unique, work.lane].flatMap((one) => (one === undefined ? [] : [one.key]))];
}

/** Others name it, as a rule: a join, or what is a member of one, comes after something, or has an id of the user's. */
export function isNamed(work: port.NewWork): boolean {
  return work.kind === "join" || (work.kind === "job" && (work.join !== undefined || work.after !== undefined || work.rememberMs > 0));
}
