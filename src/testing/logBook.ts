/** A logger that keeps what it hears, with the virtual time at which it heard it. */
import type { Instant, Logger } from "../core/runtime.ts";

export interface LogEntry {
  readonly at: Instant;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly details: object;
  readonly message: string;
}

/** The oldest are forgotten beyond so many. */
const entriesMax = 100_000;

export class LogBook implements Logger {
  readonly #now: () => Instant;
  readonly #heard: (entry: LogEntry) => void;
  #entries: LogEntry[] = [];

  constructor(now: () => Instant, heard: (entry: LogEntry) => void = () => undefined) {
    this.#now = now;
    this.#heard = heard;
  }

  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  isLevelEnabled(): boolean {
    return true;
  }

  debug(details: object, message: string): void {
    this.#keep("debug", details, message);
  }

  info(details: object, message: string): void {
    this.#keep("info", details, message);
  }

  warn(details: object, message: string): void {
    this.#keep("warn", details, message);
  }

  error(details: object, message: string): void {
    this.#keep("error", details, message);
  }

  #keep(level: LogEntry["level"], details: object, message: string): void {
    const entry: LogEntry = { at: this.#now(), level, details, message };
    if (this.#entries.length >= 2 * entriesMax) this.#entries = this.#entries.slice(-entriesMax);
    this.#entries.push(entry);
    this.#heard(entry);
  }
}
