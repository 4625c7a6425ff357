/** One close of the month, straight through or by errand: the same customers, the same provider, the same world, one process killed; and its audit. */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Child, Children } from "../stage/children.ts";
import { audit, type Audit } from "./audit.ts";
import { Books } from "./books.ts";
import { offsetOfStory } from "./clock.ts";
import type { Customer } from "./customers.ts";
import type { Count, ProvidersRecord } from "./ledger.ts";
import type { Options } from "./options.ts";
import type { Progress } from "./progress.ts";
import { planOf, World } from "./world.ts";

const lookAgainMs = 20;
/** A process is killed once so much of the month is charged, at a moment when it hurts. */
const killedAtShare = 0.5;
const underWayMin = 4;
const replacedAfterMs = 1_000;
/** Far longer than a killed worker's lease and the longest retry, for a machine that is busy with other things. */
const patienceMs = 180_000;

export interface Stage {
  readonly options: Options;
  readonly roster: readonly Customer[];
  readonly directory: string;
  /** A database with the customers, and nothing closed. */
  readonly template: string;
  readonly children: Children;
  readonly progress: Progress;
}

/** How the month is closed: what is started, and how its end is seen. */
export interface Way<Told> {
  readonly name: string;
  /** Starts the processes that do it; those that may be killed. */
  start(course: Course): Promise<readonly Child[]>;
  /** Starts another in the place of one that was killed. */
  replace(course: Course): Promise<void>;
  isDone(course: Course): Promise<boolean>;
  /** Why it is not done yet. */
  explain(course: Course): Promise<string>;
  /** What this way alone can tell. */
  tell(course: Course): Promise<Told>;
}

/** What a way may use. */
export interface Course {
  readonly books: Books;
  readonly database: string;
  start(module: string, name: string): Promise<Child>;
  say(news: string): void;
}

export interface Outcome<Told> {
  readonly name: string;
  readonly tookMs: number;
  readonly killed: number;
  readonly audit: Audit;
  /** Calls that the provider knew by their key: nothing was charged by them. */
  readonly repeated: number;
  readonly told: Told;
}

export class Run<Told> implements Course {
  readonly books: Books;
  readonly database: string;
  readonly #way: Way<Told>;
  readonly #stage: Stage;
  readonly #settings: Record<string, string>;
  readonly #patience = AbortSignal.timeout(patienceMs);
  #count: Count = { charged: 0, mailed: 0, underWay: {} };
  #news = "";

  constructor(way: Way<Told>, stage: Stage) {
    this.#way = way;
    this.#stage = stage;
    const directory = join(stage.directory, way.name);
    mkdirSync(directory, { recursive: true });
    this.database = join(directory, "close.db");
    copyFileSync(stage.template, this.database);
    const offset = String(offsetOfStory());
    process.env["CLOSE_CLOCK_OFFSET_MS"] = offset;
    process.env["CLOSE_DATABASE"] = this.database;
    this.#settings = { CLOSE_SEED: stage.options.seed, CLOSE_DATABASE: this.database, CLOSE_STORE: `sqlite:${this.database}`, CLOSE_CLOCK_OFFSET_MS: offset };
    this.books = new Books(this.database);
  }

  async run(): Promise<Outcome<Told>> {
    const provider = await this.start("provider.ts", "provider");
    this.#settings["CLOSE_PROVIDER"] = provider.url;
    const world = new World(this.books, planOf(this.#stage.roster, this.#stage.options.seed), () => this.#count.charged);
    const stopCounting = this.#keepCounting(provider.url);
    const startedAt = performance.now();
    try {
      const processes = await this.#way.start(this);
      world.turn();
      const killed = await this.#killOne(processes);
      await this.#done();
      const tookMs = performance.now() - startedAt;
      await world.stop();
      const record = (await (await fetch(`${provider.url}/record`)).json()) as ProvidersRecord;
      const told = await this.#way.tell(this);
      return { name: this.#way.name, tookMs, killed, audit: audit(this.books.database, this.#stage.roster, record), repeated: record.repeated, told };
    } finally {
      await stopCounting();
      await world.stop();
      this.books.close();
      await this.#stage.children.endAll();
    }
  }

  start(module: string, name: string): Promise<Child> {
    return this.#stage.children.start(module, `${this.#way.name} ${name}`, this.#settings);
  }

  say(news: string): void {
    this.#news = news;
  }

  async #done(): Promise<void> {
    while (!(await this.#isDone())) await pause(lookAgainMs);
  }

  async #isDone(): Promise<boolean> {
    if (await this.#way.isDone(this)) return true;
    if (!this.#patience.aborted) return false;
    throw new Error(`the close by ${this.#way.name} has not ended within ${patienceMs / 1_000} s:\n${await this.#way.explain(this)}`);
  }

  /** kill -9, with charges under way; another process takes its place a second later. */
  async #killOne(processes: readonly Child[]): Promise<number> {
    for (; ; await pause(lookAgainMs / 4)) {
      if (await this.#isDone()) return 0;
      if (this.#count.charged < killedAtShare * this.#stage.roster.length) continue;
      const busy = processes.find(({ name }) => (this.#count.underWay[name] ?? 0) >= underWayMin);
      if (busy === undefined) continue;
      await this.#stage.children.kill(busy);
      this.say(`${busy.name} was killed`);
      await pause(replacedAfterMs);
      await this.#way.replace(this);
      this.say("another took its place");
      return 1;
    }
  }

  #keepCounting(provider: string): () => Promise<void> {
    let isOver = false;
    const counting = (async () => {
      for (; !isOver; await pause(lookAgainMs)) {
        this.#count = (await (await fetch(`${provider}/count`)).json()) as Count;
        const { charged, mailed } = this.#count;
        this.#stage.progress.show({ run: this.#way.name, charged, mailed, customers: this.#stage.roster.length, news: this.#news });
      }
    })().catch(() => undefined); // the provider is gone: the run is over
    return async () => {
      isOver = true;
      await counting;
    };
  }
}
