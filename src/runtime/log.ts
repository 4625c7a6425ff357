/** The logger of a broker that was given none: to stderr, one readable line each, warnings and errors unless told otherwise. */
import type { Instant, Logger } from "../core/runtime.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";

const valueLengthMax = 500;
const levels: readonly string[] = ["debug", "info", "warn", "error", "fatal"];

export class StderrLog implements Logger {
  readonly #write: (line: string) => void;
  readonly #now: () => Instant;
  readonly #least: number;

  constructor(write: (line: string) => void = (line) => void process.stderr.write(line), now: () => Instant = Date.now, level: LogLevel = "warn") {
    this.#least = levels.indexOf(level);
    this.#write = write;
    this.#now = now;
  }

  isLevelEnabled(level: string): boolean {
    return levels.indexOf(level) >= this.#least;
  }

  debug(details: object, message: string): void {
    this.#line("debug", details, message);
  }

  info(details: object, message: string): void {
    this.#line("info", details, message);
  }

  warn(details: object, message: string): void {
    this.#line("warn", details, message);
  }

  error(details: object, message: string): void {
    this.#line("error", details, message);
  }

  #line(level: LogLevel, details: object, message: string): void {
    if (!this.isLevelEnabled(level)) return;
    const time = new Date(this.#now()).toISOString();
    this.#write(`${time} errand ${level}: ${[printable(message), ...pairsOf(details)].join(" ")}\n`);
  }
}

function pairsOf(details: object): string[] {
  const entries: [string, unknown][] = details instanceof Error ? [["error", details]] : Object.entries(details);
  return entries.filter(([, value]) => value !== undefined).map(([key, value]) => `${printable(key)}=${shown(value)}`);
}

/** Quoted where a reader could not tell where the value ends. */
function shown(value: unknown): string {
  const text = textOf(value);
  const cut = text.length > valueLengthMax ? `${text.slice(0, valueLengthMax)}…` : text;
  return typeof value !== "object" && /^[\w.:/@#+-]+$/.test(cut)
    ? cut
    : printable(value instanceof Error || typeof value === "string" ? JSON.stringify(cut) : cut);
}

function textOf(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return String(JSON.stringify(value));
  } catch {
    return Object.prototype.toString.call(value); // a cycle, or a toJSON that throws: a log line never does
  }
}

/** One line stays one line, and a terminal takes no orders from it. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
