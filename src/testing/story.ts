/** What happened, in lines to read: when, which job, what became of it. */
import type { Enqueued, NewWork } from "../core/engine.ts";
import type { Instant, Ms } from "../core/runtime.ts";
import type { EngineHears } from "./watchedEngine.ts";
import type { LogEntry } from "./logBook.ts";

/** The oldest are forgotten beyond so many. */
const linesMax = 10_000;
const shortId = 4;
const readableId = 12;

export class Story implements EngineHears {
  readonly #now: () => Instant;
  readonly #start: Instant;
  readonly #tasks: Map<string, string> = new Map();
  #lines: string[] = [];

  constructor(now: () => Instant) {
    this.#now = now;
    this.#start = now();
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  stored(work: NewWork, answer: Enqueued | undefined): void {
    const id = answer?.id ?? work.id;
    if (work.kind === "event") {
      this.#tell(work.name, id, answer?.isDuplicate === true ? "publishing, again: it is the one that stands" : "publishing");
      return;
    }
    if (work.kind === "join") {
      if (work.isSealed)
        this.#tell(work.name, id, answer?.isDuplicate === true && work.size === undefined ? "storing, again: it is the one that stands" : "storing");
      return;
    }
    this.#tasks.set(id, work.task);
    this.#tell(work.task, id, answer?.isDuplicate === true ? "scheduling, again: it is the one that stands" : `scheduling${this.#when(work)}`);
  }

  changed(id: string, is: string): void {
    this.#tell(this.#tasks.get(id) ?? "job", id, is);
  }

  logged({ details, message, level }: LogEntry): void {
    const { job, task, err, reason } = details as { readonly job?: string; readonly task?: string; readonly err?: unknown; readonly reason?: string };
    const why = reason ?? (err instanceof Error ? err.message : undefined);
    const what = why === undefined ? message : `${message}: ${why}`;
    if (job !== undefined) this.#tell(task ?? this.#tasks.get(job) ?? "job", job, what);
    else if (level === "warn" || level === "error") this.#line(`${level}: ${what}`);
  }

  #when({ delayMs, dueAt }: { readonly delayMs?: Ms; readonly dueAt?: Instant }): string {
    if (delayMs === undefined && dueAt === undefined) return "";
    return `, due ${offset((dueAt ?? this.#now() + (delayMs ?? 0)) - this.#start)}`;
  }

  #tell(name: string, id: string, what: string): void {
    this.#line(`${name} ${id.length <= readableId ? id : id.slice(-shortId)} ${what}`);
  }

  #line(text: string): void {
    if (this.#lines.length >= 2 * linesMax) this.#lines = this.#lines.slice(-linesMax);
    this.#lines.push(`${offset(this.#now() - this.#start).padEnd(6)} ${text}`);
  }
}

/** "+0s", "+1.5s", "+10m", "+1h30m", "-5m". */
export function offset(ms: Ms): string {
  let text = "";
  let rest = Math.abs(ms);
  for (const [size, unit] of [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "m"],
  ] as const) {
    if (rest >= size) text += `${Math.floor(rest / size)}${unit}`;
    rest %= size;
  }
  const seconds = rest === 0 && text !== "" ? "" : `${rest / 1_000}s`;
  return `${ms < 0 ? "-" : "+"}${text}${seconds}`;
}
