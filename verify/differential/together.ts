/**
 * Several engines behind one: each verb goes to all of them at once, and what they answer must be the same. The first one's answer is handed on.
 *
 * Fences are the engines' own, and the ids of what deaths bring about derive from them: so every claim names a last fence above all that any engine would
 * give out by itself, and all must answer the next one.
 */
import type * as port from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { Ms } from "../../src/core/runtime.ts";
import { isRefusal } from "../model/compare.ts";
import { Divergence, mustEqual } from "../model/divergence.ts";
import { comparable, Parted, promised, rowsMost, withoutKept } from "./partitions.ts";

type At = port.At<unknown>;

const quietPassesMin = 3;

/** What the handles on one set of stores share. */
export class Stream {
  /** Verbs that all engines were asked. */
  operations = 0;
  /** In µs: above the clocks of all engines, real and virtual, and below what a number holds exactly. */
  #fence = 4_000_000_000_000_000;
  #quietPasses = 0;
  readonly #cursors = new Map<string, readonly (string | undefined)[]>();

  nextFence(): number {
    this.#fence += 1_000;
    return this.#fence;
  }

  /** Whether another pass of tidy follows one after which some engine has more, or none. */
  goesOn(hasMore: boolean): boolean {
    this.#quietPasses = hasMore ? 0 : (this.#quietPasses + 1) % quietPassesMin;
    return this.#quietPasses !== 0 || hasMore;
  }

  /** A cursor is an engine's own word: handed out is the first one's, and under it stand those of all. */
  keepCursors(query: string, cursors: readonly (string | undefined)[]): void {
    if (cursors[0] !== undefined) this.#cursors.set(`${cursors[0]} ${query}`, cursors);
  }

  cursorOf(query: string, after: string, engine: number): string | undefined {
    return this.#cursors.get(`${after} ${query}`)?.[engine];
  }
}

export class Together implements port.Engine {
  readonly name = "all engines";
  readonly engines: readonly port.Engine[];
  readonly #stream: Stream;

  constructor(engines: readonly port.Engine[], stream: Stream) {
    this.engines = engines;
    this.#stream = stream;
  }

  get first(): port.Engine {
    const [first] = this.engines;
    if (first === undefined) throw new Error("no engine was given");
    return first;
  }

  async open(host: port.Host): Promise<void> {
    for (const engine of this.engines) await engine.open(host);
  }

  async close(): Promise<void> {
    for (const engine of this.engines) await engine.close();
  }

  guarantees(): port.Guarantees {
    return this.first.guarantees();
  }

  enqueue(atoms: readonly port.Atom[], at: At): Promise<(port.Enqueued[] | ErrandError)[]> {
    const asked = atoms.map((atom) => ({ ...atom, works: atom.works.map((work) => this.#fenced(work)) }));
    const codes = (answers: (port.Enqueued[] | ErrandError)[]): unknown[] =>
      answers.map((answer, index) => (answer instanceof ErrandError ? codeOf(answer, sizeOf(atoms[index])) : answer));
    return this.#ask("enqueue", (engine) => engine.enqueue(asked, at), codes);
  }

  claim(wanted: port.Claim, at: port.At): Promise<port.Claimed> {
    const asked = { ...wanted, lastFence: this.#stream.nextFence() };
    const plain = ({ settled, ...claimed }: port.Claimed): unknown => ({ ...claimed, settled: settledCodes(settled, wanted.settling) });
    return this.#ask("claim", (engine) => engine.claim(asked, at), plain);
  }

  settle(outcomes: readonly port.Outcome[], at: At): Promise<port.Settled[]> {
    return this.#ask(
      "settle",
      (engine) => engine.settle(outcomes, at),
      (settled) => settledCodes(settled, outcomes),
    );
  }

  /** Which era it is, and how versions of notes are counted, is an engine's own. */
  beat(process: string, leaseMs: Ms, at: port.At): Promise<port.Heard> {
    const plain = ({ now, isLost, cancelled }: port.Heard): unknown => ({ now, isLost, cancelled: cancelled.toSorted() });
    return this.#ask("beat", (engine) => engine.beat(process, leaseMs, at), plain);
  }

  /** What one pass does of all that there is to do is an engine's own, and what it ends it may forget in the next: passes go on until none has more, and then some. */
  async tidy(pass: port.Tidy, at: port.At): Promise<port.Tidied> {
    let hasMore = false;
    const noted = (did: port.Tidied): unknown => ((hasMore ||= did.hasMore), { now: did.now });
    const did = await this.#ask("tidy", (engine) => engine.tidy(pass, at), noted);
    return { ...did, hasMore: this.#stream.goesOn(hasMore) };
  }

  change(which: port.Selection, change: port.Change, limit: number, at: At): Promise<port.Changed> {
    return this.#ask(change.do, (engine) => engine.change(which, change, limit, at), same);
  }

  async find<Q extends port.Query>(query: Q, at: port.At): Promise<port.Page<Q>> {
    for (const engine of this.engines) if (engine instanceof Parted) await this.#compareWhole(engine, query, at);
    const { after, ...rest } = query as Q & { readonly after?: string };
    const name = JSON.stringify(rest);
    const pages: port.Page<Q>[] = [];
    const ask = async (engine: port.Engine, index: number): Promise<port.Page<Q>> => {
      const own = after === undefined ? {} : { after: this.#stream.cursorOf(name, after, index) };
      return (pages[index] = await engine.find({ ...query, ...own }, at));
    };
    const isOrdered = query.of === "jobs" || query.of === "joins";
    const plain = ({ rows, next }: port.Page<Q>): unknown => ({ rows: isOrdered ? rows : rows.length, isLast: next === undefined });
    const page = await this.#ask(`find ${query.of}`, ask, plain, isWhole);
    this.#stream.keepCursors(
      name,
      pages.map(({ next }) => next),
    );
    return page;
  }

  count(at: port.At): Promise<port.CountRow[]> {
    return this.#ask(
      "count",
      (engine) => engine.count(at),
      (rows) => rows.length,
    );
  }

  lock(request: port.LockRequest, at: port.At): Promise<port.Grant | port.Waiting> {
    const asked = { ...request, lastFence: this.#stream.nextFence() };
    return this.#ask("lock", (engine) => engine.lock(asked, at), same);
  }

  unlock(grant: { readonly name: string; readonly ticket: string }, at: port.At): Promise<boolean> {
    return this.#ask("unlock", (engine) => engine.unlock(grant, at), same);
  }

  readNote(key: string, at: port.At): Promise<port.Note | undefined> {
    return this.#ask("readNote", (engine) => engine.readNote(key, at), same);
  }

  listen(): port.Unlisten {
    return () => undefined;
  }

  joins(): "sync" {
    return "sync";
  }

  #fenced(work: port.NewWork): port.NewWork {
    if (work.kind !== "job" || work.lease === undefined) return work;
    return { ...work, lease: { ...work.lease, lastFence: this.#stream.nextFence() } };
  }

  /** Page by page, all of it. */
  async #compareWhole(engine: Parted, query: port.Query, at: port.At): Promise<void> {
    if ("after" in query) return;
    const asked = "limit" in query ? { ...query, limit: rowsMost } : query;
    const [{ rows }, all] = [await this.first.find(asked, at), await engine.whole(query, at)];
    const expected = query.of === "jobs" ? withoutKept(rows, all) : rows;
    mustEqual(`${engine.name} finds other ${query.of} than ${this.first.name}`, comparable(query.of, all), comparable(query.of, expected));
  }

  /** All at once; those that are asked over a connection first. */
  async #ask<T>(
    verb: string,
    ask: (engine: port.Engine, index: number) => port.Maybe<T>,
    plain: (answer: T) => unknown,
    whom: (engine: port.Engine) => boolean = () => true,
  ): Promise<T> {
    this.#stream.operations += 1;
    const asked = this.engines.map((engine, index) => ({ engine, index })).filter(({ engine }) => whom(engine));
    const told = await Promise.all(
      asked.toReversed().map(async ({ engine, index }) => ({ index, answer: await answerOf(engine.name, () => ask(engine, index)) })),
    );
    const first = told.at(-1)?.answer as T | ErrandError;
    for (const { index, answer } of told) if (index > 0) this.#compare(verb, index, answer, first, plain);
    if (first instanceof ErrandError) throw first;
    return first;
  }

  #compare<T>(verb: string, index: number, got: T | ErrandError, expected: T | ErrandError, plain: (answer: T) => unknown): void {
    const engine = this.engines[index];
    const told = engine instanceof Parted ? (answer: T): unknown => promised(plain(answer)) : plain;
    const of = (answer: T | ErrandError): unknown => (answer instanceof ErrandError ? { refused: answer.code } : { answered: told(answer) });
    mustEqual(`${engine?.name} answers ${verb} otherwise than ${this.first.name}`, of(got), of(expected));
  }
}

const same = (answer: unknown): unknown => answer;

/** A store that is not reached, by a server that is gone or a connection that somebody cut, is no engine that answers otherwise. */
async function answerOf<T>(engine: string, ask: () => port.Maybe<T>): Promise<T | ErrandError> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ErrandError && !error.code.startsWith("store-")) return error;
    throw error instanceof Divergence ? error : new Error(`${engine} threw what is no answer`, { cause: error });
  }
}

const isWhole = (engine: port.Engine): boolean => !(engine instanceof Parted);

const sizeOf = (atom: port.Atom | undefined): number => (atom?.works.length ?? 0) + (atom?.notes?.length ?? 0);

/** What is stored together and has several faults is refused for any of them. */
function codeOf(error: ErrandError, size: number): string {
  return size > 1 && isRefusal(error) ? "refused" : error.code;
}

function settledCodes(settled: readonly port.Settled[], outcomes: readonly port.Outcome[]): unknown[] {
  return settled.map(({ error, ...answer }, index) => ({ ...answer, error: error && codeOf(error, outcomes[index]?.follow?.length ?? 0) }));
}
