/** What an explanation reads: rows of the store, and what is known of tasks. */
import { at } from "../at.ts";
import { pageMax } from "../defaults.ts";
import type { Definitions } from "../definitions.ts";
import type { CountRow, Engine, GateRow, JobFilter, JobRow, JoinRow, Page, ProcessRow, Query } from "../engine.ts";
import type { Instant, Runtime } from "../runtime.ts";
import { knownNote, knownOf, type KnownTask } from "./known.ts";

export class Look {
  readonly #engine: Engine;
  readonly #runtime: Runtime;
  readonly #definitions: Definitions;
  #now: Instant = 0;

  constructor(parts: { readonly engine: Engine; readonly runtime: Runtime; readonly definitions: Definitions }) {
    this.#engine = parts.engine;
    this.#runtime = parts.runtime;
    this.#definitions = parts.definitions;
  }

  /** The store's time, as of the last row that was read. */
  get now(): Instant {
    return this.#now;
  }

  async job(id: string): Promise<JobRow | undefined> {
    return (await this.#rows({ of: "jobs", ids: [id] }))[0];
  }

  /** At most `limit`, in the order of enqueue. */
  jobs(where: JobFilter, limit: number): Promise<readonly JobRow[]> {
    return this.#rows({ of: "jobs", where, limit });
  }

  async join(id: string): Promise<JoinRow | undefined> {
    return (await this.#rows({ of: "joins", ids: [id] }))[0];
  }

  gates(names: readonly string[]): Promise<readonly GateRow[]> {
    return names.length === 0 ? Promise.resolve([]) : this.#rows({ of: "gates", names });
  }

  processes(): Promise<readonly ProcessRow[]> {
    return this.#rows({ of: "processes", limit: pageMax });
  }

  async counts(): Promise<readonly CountRow[]> {
    return this.#engine.count(at(this.#runtime));
  }

  /** The note's document; undefined: there is none. */
  async note<Kept>(key: string): Promise<Kept | undefined> {
    const note = await this.#engine.readNote(key, at(this.#runtime));
    return note && (JSON.parse(note.value) as Kept);
  }

  /** By this broker's own definitions, else by what a worker told when it started. */
  async known(task: string): Promise<KnownTask | undefined> {
    const [defined, told] = [this.#definitions.tasks.get(task), await this.told(task)];
    return defined === undefined ? told : knownOf(defined, told?.own);
  }

  /** What a worker told when it started. Undefined: none did. */
  told(task: string): Promise<KnownTask | undefined> {
    return this.note<KnownTask>(knownNote(task));
  }

  async #rows<Q extends Query>(query: Q): Promise<Page<Q>["rows"]> {
    const page = await this.#engine.find(query, at(this.#runtime));
    this.#now = page.now;
    return page.rows;
  }
}
