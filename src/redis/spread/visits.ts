/**
 * A claim over several homes: outcomes go to the homes that their fences name; then homes are asked one after the other, the one with the most urgent job first, until
 * there is no room left. Most claims are filled by the first.
 */
import type { At, Claim, Claimed, Outcome, Settled } from "../../core/engine.ts";
import type { Runtime } from "../../core/runtime.ts";
import type { HomeClaimed } from "../claimed.ts";
import { Asking } from "./asking.ts";
import { Heads } from "./heads.ts";
import type { HeadsOf } from "./heads.ts";
import type { Home } from "./home.ts";
import { homeOfFence } from "./homes.ts";
import type { Lending } from "./lending.ts";
import { failureOf } from "./parted.ts";
import { Reach } from "./reach.ts";

export interface VisitsParts {
  readonly homes: readonly Home[];
  readonly runtime: Runtime;
  readonly lending: Lending;
}

/** Outcomes of one home, and their places in the call. */
interface Part {
  readonly outcomes: Outcome[];
  readonly places: number[];
}

/** What has become of one claim so far. */
interface Turn {
  readonly asking: Asking;
  readonly heads: HeadsOf;
  readonly at: At;
  readonly parts: ReadonlyMap<number, Part>;
  readonly settled: Settled[];
  readonly visited: Map<number, HomeClaimed>;
  readonly failed: unknown[];
  fence: number;
}

const none: Part = { outcomes: [], places: [] };

export class Visits {
  readonly heads: Heads;
  readonly reach: Reach;
  readonly #homes: readonly Home[];
  readonly #lending: Lending;
  readonly #runtime: Runtime;
  /** Where nothing is known to be ready, each is asked in its turn. */
  #turn = 0;

  constructor({ homes, runtime, lending }: VisitsParts) {
    this.#homes = homes;
    this.#runtime = runtime;
    this.#lending = lending;
    this.reach = new Reach(homes, runtime);
    this.heads = new Heads({ homes, runtime, reach: this.reach });
  }

  /** `settling`: located. */
  async claim(wanted: Claim, at: At): Promise<Claimed> {
    const heads = this.heads.of(wanted);
    const parts = partsOf(wanted.settling, this.#homes.length);
    const turn: Turn = { asking: new Asking(wanted), heads, at, parts, settled: [], visited: new Map(), failed: [], fence: wanted.lastFence };
    const order = await heads.order(at);
    const first = order[0] ?? this.#next(parts);
    const settling = this.#settleOthers(turn, first);
    await this.#visit(turn, first, parts.get(first) ?? none);
    await settling;
    for (const home of order.slice(1)) {
      if (turn.asking.most <= 0) break;
      await this.#visit(turn, home, none);
    }
    if (turn.asking.most > 0) await this.#askDeaf(turn);
    // Nothing is known to be ready, and the one that was asked all the same does not answer.
    for (const { number } of this.#homes) if (turn.visited.size === 0 && number !== first) await this.#visit(turn, number, none);
    return this.#claimed(turn);
  }

  async settle(outcomes: readonly Outcome[], at: At<unknown>): Promise<Settled[]> {
    const settled: Settled[] = [];
    const failed: unknown[] = [];
    const parts = partsOf(outcomes, this.#homes.length);
    await Promise.all(Array.from(parts, ([home, part]) => this.#settleAt(home, part, { at, settled, failed })));
    if (failed.length > 0) throw failureOf(failed, failed.length < parts.size);
    return settled;
  }

  /** One with outcomes, else the next one in turn. */
  #next(parts: ReadonlyMap<number, Part>): number {
    return parts.keys().next().value ?? this.#turn++ % this.#homes.length;
  }

  async #settleOthers(turn: Turn, first: number): Promise<void> {
    const others = [...turn.parts].filter(([home]) => home !== first);
    await Promise.all(others.map(([home, part]) => this.#settleAt(home, part, turn)));
  }

  async #settleAt(home: number, part: Part, { at, settled, failed }: { at: At<unknown>; settled: Settled[]; failed: unknown[] }): Promise<void> {
    try {
      put(settled, part, await this.reach.on(home, ({ verbs }) => verbs.settle(part.outcomes, at)));
    } catch (error) {
      failed.push(error);
    }
  }

  /** Again as long as it passes jobs over for room that is lent while it waits for its answer: of one limit after the other. */
  async #visit(turn: Turn, home: number, part: Part): Promise<void> {
    try {
      let claimed = await this.#ask(turn, home, part);
      put(turn.settled, part, claimed.settled);
      while (claimed.wants !== undefined && turn.asking.most > 0 && this.#lending.hasNews(home)) claimed = await this.#ask(turn, home, none);
    } catch (error) {
      turn.failed.push(error);
    }
  }

  async #ask(turn: Turn, home: number, { outcomes }: Part): Promise<HomeClaimed> {
    const { asking, heads, at, visited } = turn;
    const { most } = asking;
    const asked = { at: this.#runtime.monotonic(), change: heads.change(home) };
    const claimed = await this.reach.on(home, ({ verbs }) => verbs.claim({ ...asking.next(turn.fence), settling: outcomes }, at));
    heads.told(home, claimed.head, { ...asked, isDrained: claimed.jobs.length < most && !asking.isBounded });
    visited.set(home, claimed);
    turn.fence = Math.max(turn.fence, claimed.fence);
    asking.came(claimed);
    return claimed;
  }

  /** Those that nobody asked in vain since they last told of work: asked in vain, they tell at once when there is some. */
  async #askDeaf(turn: Turn): Promise<void> {
    for (const { number } of this.#homes) {
      if (turn.asking.most <= 0) return;
      if (!turn.visited.has(number) && turn.heads.isDeaf(number)) await this.#visit(turn, number, none);
    }
  }

  #claimed({ asking, heads, at, settled, visited, failed, fence }: Turn): Claimed {
    if (visited.size === 0) throw failureOf(failed, settled.length > 0);
    const answers = [...visited.values()];
    const dues = this.#homes.flatMap(({ number }) => {
      const dueMs = visited.has(number) ? visited.get(number)?.nextDueMs : heads.dueInMs(number, at);
      return dueMs === undefined ? [] : [Math.max(0, dueMs)];
    });
    return {
      now: Math.max(...answers.map(({ now }) => now)),
      fence: asking.fence ?? fence,
      jobs: asking.jobs,
      settled,
      hasSuspects: answers.some(({ hasSuspects }) => hasSuspects) || this.#homes.some(({ number }) => !visited.has(number) && heads.hasSuspects(number)),
      ...(dues.length > 0 && { nextDueMs: Math.min(...dues) }),
      ...(failed.length > 0 && { isPartial: true as const }),
    };
  }
}

function partsOf(outcomes: readonly Outcome[], count: number): ReadonlyMap<number, Part> {
  const parts = new Map<number, Part>();
  for (const [place, outcome] of outcomes.entries()) {
    // What no home gave is refused by any.
    const home = homeOfFence(outcome.fence) % count;
    const part = parts.get(home) ?? { outcomes: [], places: [] };
    parts.set(home, part);
    part.outcomes.push(outcome);
    part.places.push(place);
  }
  return parts;
}

function put(settled: Settled[], { places }: Part, answers: readonly Settled[]): void {
  for (const [nth, answer] of answers.entries()) settled[places[nth] ?? 0] = answer;
}
