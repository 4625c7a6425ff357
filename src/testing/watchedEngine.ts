/** An engine, with an ear at its door: which calls are under way, and what was stored by them. */
import type { Atom, Engine, Enqueued, NewWork, Outcome, Settled } from "../core/engine.ts";
import { ErrandError } from "../core/errors.ts";

export interface EngineHears {
  stored(work: NewWork, answer: Enqueued | undefined): void;
  changed(id: string, is: string): void;
}

export class EngineWatch {
  readonly engine: Engine;
  readonly #hears: EngineHears;
  #calls = 0;

  constructor(engine: Engine, hears: EngineHears) {
    this.#hears = hears;
    this.engine = new Proxy(engine, { get: (target, verb) => this.#watched(target, verb) });
  }

  /** Calls without an answer yet. */
  get calls(): number {
    return this.#calls;
  }

  #watched(target: Engine, verb: string | symbol): unknown {
    const method: unknown = Reflect.get(target, verb, target);
    if (typeof method !== "function") return method;
    return (...given: unknown[]): unknown => {
      const answer: unknown = Reflect.apply(method, target, given);
      if (!(answer instanceof Promise)) return this.#heard(verb, given[0], answer);
      this.#calls++;
      return answer.then((value) => this.#heard(verb, given[0], value)).finally(() => this.#calls--);
    };
  }

  #heard(verb: string | symbol, given: unknown, answer: unknown): unknown {
    if (verb === "enqueue") this.#enqueued(given as readonly Atom[], answer as readonly (Enqueued[] | ErrandError)[]);
    if (verb === "settle") this.#settled(given as readonly Outcome[], answer as readonly Settled[]);
    if (verb === "claim")
      this.#settled((given as { readonly settling: readonly Outcome[] }).settling, (answer as { readonly settled: readonly Settled[] }).settled);
    if (verb === "change")
      for (const { id, is } of (answer as { readonly jobs: readonly { readonly id: string; readonly is: string }[] }).jobs) this.#hears.changed(id, is);
    return answer;
  }

  #enqueued(atoms: readonly Atom[], answers: readonly (Enqueued[] | ErrandError)[]): void {
    for (const [index, { works }] of atoms.entries()) {
      const answer = answers[index];
      if (answer === undefined || answer instanceof ErrandError) continue;
      for (const [place, work] of works.entries()) this.#hears.stored(work, answer[place]);
    }
  }

  #settled(outcomes: readonly Outcome[], answers: readonly Settled[]): void {
    for (const [index, { follow = [] }] of outcomes.entries()) {
      if (answers[index]?.is === "settled") for (const work of follow) this.#hears.stored(work, undefined);
    }
  }
}
