/**
 * One schedule of a scope. Its actors are held before each of their calls to the store; a choice lets one of them go on. The store answers, the actor hears it, and comes to
 * its next call. Or the call is made and its answer lost, and the actor is told that the store did not answer. Or the actor dies when it has heard an answer.
 *
 * An actor dies, where it does, right when it comes to its next call: whoever is dead touches nothing, so that dying later is the same schedule. Those that were to die
 * before their first call are left out: that is a scope of fewer actors. Neither rule takes away a state of the store, or an answer, that others do not have.
 */
import type * as port from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { Instant, Ms } from "../../src/core/runtime.ts";
import { closing } from "./closing.ts";
import type { Choose, Doing } from "./explore.ts";
import { shownAnswer, shownCall } from "./shown.ts";
import { Watch } from "./watch.ts";

export type Verb = "enqueue" | "claim" | "settle" | "beat" | "tidy" | "change" | "find" | "lock" | "unlock" | "readNote";
type ArgsOf<V extends Verb> = Parameters<port.Engine[V]> extends [...infer Args, unknown] ? Args : never;
type AnswerOf<V extends Verb> = Awaited<ReturnType<port.Engine[V]>>;

/** What an actor is held before. */
export type Call =
  | { readonly verb: Verb; readonly args: readonly unknown[] }
  /** Time passes. */
  | { readonly verb: "pass"; readonly ms: Ms }
  /** What is done elsewhere than in the store, at once: a write to what a fence protects. */
  | { readonly verb: "do"; readonly what: string; readonly act: () => unknown };
export type Steps<T = void> = Generator<Call, T, unknown>;

export interface Actor {
  readonly name: string;
  readonly steps: Steps;
  /** What may befall it. */
  readonly may?: readonly ("lose" | "die")[];
}

/** A scope, set up for one schedule. */
export interface Cast {
  /** Before the actors begin, without a choice. */
  readonly before: Steps;
  readonly actors: readonly Actor[];
  /** What is wrong at the end, beside what is wrong in any scope; rows are all jobs, in the order of enqueue. */
  readonly check: (end: End) => readonly string[];
  /** Ends of jobs that are left as they are: parked ones, where nobody redrives them. */
  readonly mayStay?: (row: port.JobRow) => boolean;
}

export interface End {
  readonly rows: readonly port.JobRow[];
  readonly watch: Watch;
  readonly engine: (name: string) => port.Engine;
  readonly now: Instant;
  readonly row: (id: string) => port.JobRow | undefined;
}

export interface Scope {
  readonly name: string;
  /** What must hold, in a sentence. */
  readonly holds: string;
  readonly cast: (watch: Watch) => Cast;
}

export interface OpenStore {
  /** A handle of that actor's own, where the store is shared. */
  engine(actor: string): port.Engine;
}

export interface Story {
  readonly complaints: readonly string[];
  /** What everyone was answered, and what was left: the same for schedules that come to the same. */
  readonly signature: string;
  readonly steps: number;
}

export const startedAt: Instant = Date.UTC(2026, 0, 1);
const lostAnswer = new ErrandError("store-failed", "the answer was lost");

export function ask<V extends Verb>(verb: V, ...args: ArgsOf<V>): Steps<AnswerOf<V>> {
  return asked({ verb, args }) as Steps<AnswerOf<V>>;
}

export function pass(ms: Ms): Steps<unknown> {
  return asked({ verb: "pass", ms });
}

export function act<T>(what: string, doIt: () => T): Steps<T> {
  return asked({ verb: "do", what, act: doIt }) as Steps<T>;
}

/** True: the store did not answer, and nobody knows what it did. */
export function isLost(error: unknown): boolean {
  return error === lostAnswer;
}

function* asked(call: Call): Steps<unknown> {
  return yield call;
}

interface Playing extends Actor {
  held: Call | undefined;
}

export class Play {
  now: Instant = startedAt;
  readonly watch: Watch = new Watch();
  readonly #store: OpenStore;
  readonly #tell: ((line: string) => void) | undefined;
  readonly #heard = new Map<string, string>();
  #steps = 0;

  constructor(store: OpenStore, tell?: (line: string) => void) {
    this.#store = store;
    this.#tell = tell;
  }

  *whole(scope: Scope, faultsMost: number, choose: Choose): Doing<Story> {
    const cast = scope.cast(this.watch);
    yield* this.#straight("before", cast.before);
    const playing = cast.actors.map((actor): Playing => ({ ...actor, held: heldOf(actor.steps.next()) }));
    yield* this.#all(playing, faultsMost, choose);
    this.#tell?.("  (all have done what they do; who is left takes over)");
    yield* this.#straight("the last", closing(cast.mayStay));
    const rows = yield* this.#rows();
    const end: End = { rows, watch: this.watch, engine: (name) => this.#store.engine(name), now: this.now, row: (id) => rows.find((row) => row.id === id) };
    const complaints = [...this.watch.complaints, ...this.watch.ended(end, cast.mayStay), ...cast.check(end)];
    return { complaints, signature: this.#signature(rows), steps: this.#steps };
  }

  *#all(playing: readonly Playing[], faultsMost: number, choose: Choose): Doing<void> {
    let faults = faultsMost;
    for (let going = playing.filter(({ held }) => held !== undefined); going.length > 0; going = going.filter(({ held }) => held !== undefined)) {
      const losing = faults > 0 ? going.filter(({ may, held }) => may?.includes("lose") === true && isOfStore(held)) : [];
      const choice = choose(going.length + losing.length);
      const actor = going[choice] ?? losing[choice - going.length];
      if (actor === undefined) return;
      const answerIsLost = choice >= going.length;
      if (answerIsLost) faults--;
      yield* this.#step(actor, answerIsLost);
      if (faults === 0 || actor.held === undefined || actor.may?.includes("die") !== true || choose(2) === 0) continue;
      faults--;
      actor.held = undefined;
      this.#tell?.(`  ${actor.name} dies`);
      this.#hears(actor.name, "†");
    }
  }

  *#step(actor: Playing, answerIsLost: boolean): Doing<void> {
    const call = actor.held;
    if (call === undefined) return;
    this.#steps++;
    let answer: unknown;
    let isThrown = false;
    try {
      answer = yield* this.#made(actor.name, call);
    } catch (error) {
      [answer, isThrown] = [error, true];
    }
    if (answerIsLost) {
      this.#tell?.(`      … and ${actor.name} does not hear it`);
      this.#hears(actor.name, "?");
    }
    actor.held = heldOf(answerIsLost ? actor.steps.throw(lostAnswer) : isThrown ? actor.steps.throw(answer) : actor.steps.next(answer));
  }

  /** As the store does it, whoever hears the answer. */
  *#made(who: string, call: Call): Doing<unknown> {
    if (call.verb === "pass") {
      this.now += call.ms;
      this.#tell?.(`  ${call.ms} ms pass`);
      return undefined;
    }
    if (call.verb === "do") {
      const done = call.act();
      this.#tell?.(`  ${who} ${call.what}: ${String(done)}`);
      this.#hears(who, String(done));
      return done;
    }
    const verb = this.#store.engine(who)[call.verb] as (...args: unknown[]) => unknown;
    try {
      const answer = yield verb.call(this.#store.engine(who), ...call.args, { now: this.now });
      if (call.verb !== "find") this.#tell?.(`  ${who} ${shownCall(call.verb, call.args)} → ${shownAnswer(call.verb, answer)}`);
      this.#hears(who, shownAnswer(call.verb, answer));
      this.watch.saw(call.verb, call.args, answer, this.now);
      return answer;
    } catch (error) {
      this.#tell?.(`  ${who} ${shownCall(call.verb, call.args)} is refused: ${String(error)}`);
      this.#hears(who, ErrandError.is(error) ? error.code : String(error));
      throw error;
    }
  }

  /** Without a choice. */
  *#straight(who: string, steps: Steps): Doing<void> {
    for (let step = steps.next(); step.done !== true;) step = steps.next(yield* this.#made(who, step.value));
  }

  *#rows(): Doing<readonly port.JobRow[]> {
    const page = (yield this.#store.engine("the last").find({ of: "jobs", where: {}, limit: 1_000 }, { now: this.now })) as port.Page;
    return page.rows as readonly port.JobRow[];
  }

  #hears(who: string, what: string): void {
    const heard = this.#heard.get(who);
    this.#heard.set(who, heard === undefined ? what : `${heard},${what}`);
  }

  #signature(rows: readonly port.JobRow[]): string {
    let signature = "";
    for (const [who, heard] of this.#heard) if (who !== "before" && who !== "the last") signature += `${who}:${heard};`;
    for (const { id, state, starts, attempts } of rows) signature += `${id} ${state} ${starts} ${attempts};`;
    return signature;
  }
}

function heldOf(step: IteratorResult<Call, void>): Call | undefined {
  return step.done === true ? undefined : step.value;
}

/** An answer of nobody cannot be lost. */
function isOfStore(call: Call | undefined): boolean {
  return call !== undefined && call.verb !== "pass" && call.verb !== "do";
}
