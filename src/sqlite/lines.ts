/** Two small dictionaries: lines (queue and task) and keeps (how long an ended job is kept). Rows are never removed, so what was committed may be cached. */
import type { Keep } from "../core/engine.ts";
import type { Statements } from "./statements.ts";

export interface Line {
  readonly id: number;
  readonly queue: string;
  readonly task: string;
}

/** By UNIQUE (queue, task). */
const findLine = "SELECT id FROM errand_lines WHERE queue = ? AND task = ?";
const addLine = "INSERT INTO errand_lines (queue, task) VALUES (?, ?) RETURNING id";
/** By rowid. */
const lineById = "SELECT queue, task FROM errand_lines WHERE id = ?";
/** By UNIQUE (keep). */
const findKeep = "SELECT id FROM errand_keeps WHERE keep = ?";
const addKeep = "INSERT INTO errand_keeps (keep) VALUES (?) RETURNING id";
/** By rowid. */
const keepById = "SELECT keep FROM errand_keeps WHERE id = ?";

/** `committed`: the cache behind this one, which holds only what cannot be rolled back any more. */
export class Dictionary {
  readonly #committed: Dictionary | undefined;
  readonly #linesByName = new Map<string, Line>();
  readonly #linesById = new Map<number, Line>();
  readonly #keepsByText = new Map<string, number>();
  readonly #keepsById = new Map<number, Keep>();

  constructor(committed?: Dictionary) {
    this.#committed = committed;
  }

  line(sql: Statements, queue: string, task: string): Line {
    const name = `${queue}\n${task}`;
    const known = this.#known((cache) => cache.#linesByName.get(name));
    if (known) return known;
    const id = sql.value<number>(findLine, queue, task) ?? sql.value<number>(addLine, queue, task) ?? 0;
    return this.#rememberLine({ id, queue, task });
  }

  lineById(sql: Statements, id: number): Line {
    const known = this.#known((cache) => cache.#linesById.get(id));
    if (known) return known;
    const row = sql.get<{ queue: string; task: string }>(lineById, id);
    return this.#rememberLine({ id, queue: row?.queue ?? "", task: row?.task ?? "" });
  }

  keep(sql: Statements, keep: Keep): number {
    const text = `[${keep.completed},${keep.skipped},${keep.cancelled},${keep.dead}]`;
    const known = this.#known((cache) => cache.#keepsByText.get(text));
    if (known !== undefined) return known;
    const id = sql.value<number>(findKeep, text) ?? sql.value<number>(addKeep, text) ?? 0;
    return this.#rememberKeep(id, text);
  }

  keepById(sql: Statements, id: number): Keep {
    const known = this.#known((cache) => cache.#keepsById.get(id));
    if (known) return known;
    this.#rememberKeep(id, sql.value<string>(keepById, id) ?? "[0,0,0,0]");
    return this.keepById(sql, id);
  }

  /** After the commit. */
  learn(learned: Dictionary): void {
    for (const line of learned.#linesById.values()) this.#rememberLine(line);
    for (const [text, id] of learned.#keepsByText) this.#rememberKeep(id, text);
  }

  #known<T>(look: (cache: Dictionary) => T | undefined): T | undefined {
    return look(this) ?? (this.#committed && look(this.#committed));
  }

  #rememberLine(line: Line): Line {
    this.#linesByName.set(`${line.queue}\n${line.task}`, line);
    this.#linesById.set(line.id, line);
    return line;
  }

  #rememberKeep(id: number, text: string): number {
    const [completed = 0, skipped = 0, cancelled = 0, dead = 0] = JSON.parse(text) as number[];
    this.#keepsByText.set(text, id);
    this.#keepsById.set(id, { completed, skipped, cancelled, dead });
    return id;
  }
}
