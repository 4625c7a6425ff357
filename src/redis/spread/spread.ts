/** A store of several homes: the verbs of one, over all of them. Whatever must be decided in one atom is in one home; what homes tell each other is carried here. */
import { leaseMs as usualLeaseMs } from "../../core/defaults.ts";
import type * as port from "../../core/engine.ts";
import { ErrandError } from "../../core/errors.ts";
import { errorOf } from "../../core/refused.ts";
import type { Ms, Runtime } from "../../core/runtime.ts";
import type { Multi } from "../multi.ts";
import type { Move, Moved } from "../outbox.ts";
import { Carrier } from "./carrier.ts";
import { changeOver } from "./changes.ts";
import { conflictsOf } from "./conflicts.ts";
import { Eras } from "./eras.ts";
import { Forwarded, isAway } from "./forwarded.ts";
import type { Home } from "./home.ts";
import { homeOfFence, homeOfText } from "./homes.ts";
import { Lending } from "./lending.ts";
import { Locate } from "./locate.ts";
import { heardOf, partlyHeard, tidiedOf } from "./merged.ts";
import { findOver } from "./pages.ts";
import { answered, failureOf } from "./parted.ts";
import { isNamed, namedIn, Route, routeOf, wavesOf } from "./routing.ts";
import type { Known, Share } from "./routing.ts";
import type { StoreVerbs } from "./store.ts";
import { Visits } from "./visits.ts";

type Answer = (port.Enqueued[] | ErrandError)[];

export class Spread implements StoreVerbs {
  readonly #homes: readonly Home[];
  readonly #carrier: Carrier;
  readonly #forwarded = new Forwarded();
  readonly #lending = new Lending((from, to, at) => this.mailed(from, to, at));
  readonly #eras: Eras;
  readonly #locate: Locate;
  readonly #visits: Visits;
  /** The longest that was claimed for from here. */
  #leaseMs: Ms = usualLeaseMs;

  constructor(homes: readonly Home[], runtime: Runtime) {
    this.#homes = homes;
    const mailing = homes.map(({ verbs }) => verbs);
    this.#carrier = new Carrier(mailing, runtime);
    this.#eras = new Eras(mailing);
    this.#locate = new Locate(homes, runtime);
    this.#visits = new Visits({ homes, runtime, lending: this.#lending });
  }

  /** A verb's answer waits for this: for what it wrote, and for what that causes. */
  async mailed(from: number, to: readonly number[], at: port.At<unknown>): Promise<void> {
    const answers = await this.#carrier.carry(from, to, at);
    this.#lending.heard(answers);
    this.#forwarded.heard(answers);
  }

  /** Where a home was emptied or restarted since, all begin another era. */
  async begin(at: port.At<unknown>): Promise<void> {
    await this.#eras.ofAll(
      this.#homes.map(({ begun }) => begun.era),
      at,
    );
  }

  /** Work may have become ready there. */
  changed(home: number): void {
    this.#visits.heads.changed(home);
  }

  /** What is carried is carried to its end. */
  close(): Promise<void> {
    return this.#carrier.close();
  }

  /** Calls go out in their order, but for those that must look first for what they name. */
  enqueue(atoms: readonly port.Atom[], at: port.At<unknown>): Promise<Answer> {
    const named = atoms.flatMap(({ works }) => namedIn(works));
    if (named.length === 0 || !this.#locate.isMissing(named)) return this.#enqueue(atoms, at);
    return this.#locate.find(named, at).then(() => this.#enqueue(atoms, at));
  }

  async claim(wanted: port.Claim, at: port.At): Promise<port.Claimed> {
    this.#leaseMs = Math.max(this.#leaseMs, wanted.leaseMs);
    return this.#visits.claim({ ...wanted, settling: await this.#located(wanted.settling, at) }, at);
  }

  async settle(outcomes: readonly port.Outcome[], at: port.At<unknown>): Promise<port.Settled[]> {
    return this.#visits.settle(await this.#located(outcomes, at), at);
  }

  /** All of them: a process may hold something in any, and each tells of an era of its own. Where one is away, the others go on. */
  async beat(process: string, leaseMs: Ms, at: port.At): Promise<port.Heard> {
    const { answers, failed } = await answered(this.#reached(({ verbs }) => verbs.beat(process, leaseMs, at)));
    const eras = answers.map(({ era }) => era);
    return failed.length === 0 ? heardOf(answers, await this.#eras.ofAll(eras, at)) : partlyHeard(answers, failed);
  }

  /** Those that are away are tidied when they are back. There nobody could renew what it holds: it is taken from nobody before all had a lease's time to. */
  async tidy(pass: port.Tidy, at: port.At): Promise<port.Tidied> {
    const mayExpire = (home: number): boolean => pass.mayExpire && this.#visits.reach.isSteady(home, this.#leaseMs);
    const { answers } = await answered(this.#reached(({ verbs, number }) => verbs.tidy({ ...pass, mayExpire: mayExpire(number) }, at)));
    return tidiedOf(answers);
  }

  change(which: port.Selection, asked: port.Change, limit: number, at: port.At<unknown>): Promise<port.Changed> {
    return changeOver(this.#homes, which, asked, limit, at);
  }

  find<Q extends port.Query>(query: Q, at: port.At): Promise<port.Page<Q>> {
    return findOver(this.#homes, query, at);
  }

  async count(at: port.At): Promise<port.CountRow[]> {
    const sums = new Map<string, port.CountRow>();
    for (const row of (await this.#all(({ verbs }) => verbs.count(at))).flat()) {
      const name = `${row.queue}\n${row.task}\n${row.state}`;
      sums.set(name, { ...row, jobs: row.jobs + (sums.get(name)?.jobs ?? 0) });
    }
    return [...sums.values()];
  }

  lock(request: port.LockRequest, at: port.At): Promise<port.Grant | port.Waiting> {
    return this.#of(request.name).lock(request, at);
  }

  unlock(grant: { readonly name: string; readonly ticket: string }, at: port.At): Promise<boolean> {
    return this.#of(grant.name).unlock(grant, at);
  }

  readNote(key: string, at: port.At): Promise<port.Note | undefined> {
    return this.#first.readNote(key, at);
  }

  /** What was moved stands in home 0; its scripts send on what is not of there. */
  async move(move: Move, at: port.At): Promise<Moved> {
    const named = move.atoms.flatMap(({ works }) => namedIn(works));
    await this.#locate.find(named, at);
    return this.#first.move({ ...move, atoms: move.atoms.map((atom) => this.#at0(atom, this.#locate.known)) }, at);
  }

  /** Nothing can be asked before the MULTI is carried out: a join that is not known is where its id says, as those without a parent are. */
  queueIn(tx: Multi, atoms: readonly port.Atom[], at: port.At<unknown>): void {
    const guess: Known = (id) => this.#locate.known(id) ?? homeOfText(id, this.#homes.length);
    this.#first.queueIn(
      tx,
      atoms.map((atom) => this.#at0(atom, guess)),
      at,
    );
  }

  #at0(atom: port.Atom, known: Known): port.Atom {
    return { ...atom, works: new Route(atom.works, this.#homes.length, known, 0).works };
  }

  async #enqueue(atoms: readonly port.Atom[], at: port.At<unknown>): Promise<Answer> {
    const routes: (Route | undefined)[] = atoms.map((atom) => routeOf(atom, this.#homes.length, this.#locate.known));
    const answers: Answer = [];
    if (routes.some((route) => route !== undefined && route.mayConflict)) {
      for (const [nth, conflict] of (await conflictsOf(this.#homes, routes, at)).entries()) {
        if (conflict === undefined) continue;
        answers[nth] = errorOf(conflict);
        routes[nth] = undefined;
      }
    }
    this.#learn(atoms, routes);
    const sentOn = routes.flatMap((route) => route?.sentOn ?? []);
    this.#forwarded.expect(sentOn);
    try {
      for (const [nth, wave] of wavesOf(atoms, routes).entries()) await this.#send(wave, answers, nth > 0, at);
    } finally {
      this.#forwarded.forget(sentOn);
    }
    return answers;
  }

  async #send(wave: readonly Share[], answers: Answer, hasStored: boolean, at: port.At<unknown>): Promise<void> {
    const ends = await Promise.allSettled(wave.map((share) => this.#enqueueAt(share, answers, at)));
    const failed = ends.flatMap((end) => (end.status === "rejected" ? [end.reason as unknown] : []));
    if (failed.length > 0) throw failureOf(failed, hasStored || failed.length < wave.length);
  }

  #learn(atoms: readonly port.Atom[], routes: readonly (Route | undefined)[]): void {
    for (const [place, { works }] of atoms.entries()) {
      for (const work of works) {
        const home = routes[place]?.homes.get(work.id);
        if (home !== undefined && isNamed(work)) this.#locate.learn(work.id, home);
      }
    }
  }

  async #enqueueAt({ home, atoms, places, parted }: Share, answers: Answer, at: port.At<unknown>): Promise<void> {
    await this.#lending.borrow(home, this.#at(home), atoms, at);
    const homeOf = (atom: port.Atom, id: string): number | undefined => elsewhere(parted.get(atom)?.get(id), home);
    const stored = await this.#at(home).enqueue(atoms, at, { homeOf, sends: (ids) => this.#forwarded.expectLetter(ids) });
    for (const [nth, answer] of stored.entries()) {
      const place = places[nth] ?? 0;
      answers[place] = ErrandError.is(answer) || !answer.some(isAway) ? answer : this.#forwarded.answers(answer);
    }
  }

  /** With where their follow-up work's joins and predecessors are; and what of it no home takes. */
  async #located(outcomes: readonly port.Outcome[], at: port.At<unknown>): Promise<readonly port.Outcome[]> {
    if (outcomes.every(({ follow }) => follow === undefined || follow.length === 0)) return outcomes;
    await this.#locate.find(
      outcomes.flatMap(({ follow = [] }) => namedIn(follow)),
      at,
    );
    const routes = outcomes.map(({ follow, fence }) => follow && new Route(follow, this.#homes.length, this.#locate.known, homeOfFence(fence)));
    const conflicts = await conflictsOf(this.#homes, routes, at);
    return outcomes.map((outcome, nth) => {
      const route = routes[nth];
      const refused = conflicts[nth];
      return route === undefined ? outcome : { ...outcome, follow: route.works, ...(refused && { refused }) };
    });
  }

  #all<T>(ask: (home: Home) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#homes.map(ask));
  }

  /** Who was away a moment ago keeps nobody waiting. */
  #reached<T>(ask: (home: Home) => Promise<T>): readonly Promise<T>[] {
    return this.#homes.map(({ number }) => this.#visits.reach.on(number, ask));
  }

  #of(name: string): Home["verbs"] {
    return this.#at(homeOfText(name, this.#homes.length));
  }

  get #first(): Home["verbs"] {
    return this.#at(0);
  }

  #at(home: number): Home["verbs"] {
    const found = this.#homes[home];
    if (found === undefined) throw new Error(`there is no home ${home}`);
    return found.verbs;
  }
}

function elsewhere(other: number | undefined, home: number): number | undefined {
  return other === home ? undefined : other;
}
