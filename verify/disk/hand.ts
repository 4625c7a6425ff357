/** One process's hands on one file: an engine whose time, ids and chance are always the same, so that a second life writes what the first one wrote. */
import type { Atom, Claim, ClaimedJob, Engine, Enqueued, NewWork, NoteWrite, Outcome, Settled } from "../../src/core/engine.ts";
import { ErrandError } from "../../src/core/errors.ts";
import type { Runtime, Timer } from "../../src/core/runtime.ts";
import type { Connection, Driver } from "../../src/sqlite/driver.ts";
import { surroundings } from "../../src/sqlite/open.ts";
import { SqliteEngine } from "../../src/sqlite/sqliteEngine.ts";
import { Database, leaseMs, start, wanted } from "../../test/sqlite/bench.ts";

/** Each step takes place a millisecond after the one before. */
export class SteppedRuntime implements Runtime {
  readonly log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  #wall = start;
  #began = start;
  #step = 0;
  #drawn = 0;

  begin(step: number): void {
    this.#began = this.#wall + 1;
    this.#step = step;
    this.again();
  }

  /** The same step once more, with the same time and the same chance. */
  again(): void {
    this.#wall = this.#began;
    this.#drawn = this.#step * 1_000;
  }

  pass(ms: number): void {
    this.#wall += ms;
  }

  now(): number {
    return this.#wall;
  }

  /** So that a wait comes to its end. */
  monotonic(): number {
    return performance.now();
  }

  after(ms: number, fn: () => void): Timer {
    const timer = setTimeout(fn, ms);
    return { cancel: () => clearTimeout(timer) };
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }

  random(): number {
    this.#drawn += 1;
    return ((this.#drawn * 2_654_435_761) % 4_294_967_296) / 4_294_967_296;
  }

  id(): string {
    return `id-${Math.floor(this.random() * 2 ** 32)}`;
  }

  startBeat(): never {
    throw new Error("steps beat by themselves");
  }
}

export class Hand {
  readonly file: string;
  readonly runtime: SteppedRuntime = new SteppedRuntime();
  readonly engine: Engine;
  readonly #around: (connection: Connection) => Connection;
  readonly #held = new Map<string, { readonly claim: string; readonly fence: number }>();
  #connection: Connection | undefined;
  #app: Connection | undefined;

  /** `around`: what the engine is given in place of each connection it opens. */
  constructor(file: string, around: (connection: Connection) => Connection = (connection) => connection) {
    this.file = file;
    this.#around = around;
    const load = (): Driver => this.#opening() as unknown as Driver;
    this.engine = new SqliteEngine(file, {}, { ...surroundings, load });
  }

  /** The engine's own. */
  get connection(): Connection {
    if (this.#connection === undefined) throw new Error("the engine is not open");
    return this.#connection;
  }

  /** The app's handle on the same file. */
  get app(): Connection {
    if (this.#app === undefined) {
      this.#app = new Database(this.file, { timeout: 0 });
      this.#app.exec("PRAGMA synchronous = FULL");
    }
    return this.#app;
  }

  makeOrders(): void {
    this.app.exec("CREATE TABLE orders (id TEXT PRIMARY KEY)");
  }

  open(): void {
    void this.engine.open({ runtime: this.runtime });
  }

  async close(): Promise<void> {
    this.#app?.close();
    this.#app = undefined;
    await this.engine.close();
  }

  async atoms(...atoms: readonly Atom[]): Promise<Enqueued[][]> {
    return (await this.engine.enqueue(atoms, {})).map(stored);
  }

  async enqueue(...works: readonly NewWork[]): Promise<Enqueued[]> {
    return (await this.atoms({ works })).flat();
  }

  async write(...notes: readonly NoteWrite[]): Promise<void> {
    await this.atoms({ works: [], notes });
  }

  /** What it hands out can be settled by id. */
  async claim(claim: string, options: Partial<Claim> & { readonly slots?: number } = {}): Promise<readonly ClaimedJob[]> {
    const { jobs, fence } = await this.engine.claim(wanted({ claim, ...options }), {});
    for (const job of jobs) this.#held.set(job.id, { claim, fence: job.fence ?? fence });
    return jobs;
  }

  outcome(id: string, is: Outcome["is"], options: Partial<Outcome> = {}): Outcome {
    const held = this.#held.get(id);
    if (held === undefined) throw new Error(`${id} was never claimed`);
    return { id, ...held, is, ranMs: 1, ...options };
  }

  async settle(...outcomes: readonly Outcome[]): Promise<void> {
    settled(await this.engine.settle(outcomes, {}));
  }

  async beat(): Promise<void> {
    await this.engine.beat("p1", leaseMs, {});
  }

  async tidy(): Promise<void> {
    await this.engine.tidy({ items: 1_000, mayExpire: true }, {});
  }

  /** The app's transaction: its own row, and what `within` does with the same handle. */
  inTransaction(row: string, within: (tx: Connection) => void): void {
    const { app } = this;
    app.exec("BEGIN IMMEDIATE");
    try {
      app.exec(`INSERT INTO orders VALUES ('${row}')`);
      within(app);
      app.exec("COMMIT");
    } catch (error) {
      if (app.inTransaction) app.exec("ROLLBACK");
      throw error;
    }
  }

  #opening(): unknown {
    const opened = (file: string, options: { readonly timeout: number }): Connection => (this.#connection = this.#around(new Database(file, options)));
    return function open(file: string, options: { readonly timeout: number }) {
      return opened(file, options);
    };
  }
}

function stored(answer: Enqueued[] | ErrandError): Enqueued[] {
  if (answer instanceof ErrandError) throw answer;
  return answer;
}

export function settled(answers: readonly Settled[]): void {
  for (const { id, is } of answers) if (is !== "settled") throw new Error(`${id} is ${is}`);
}
