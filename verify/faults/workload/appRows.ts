/** The app's own table, which nobody loses: what is to be done, and what was. A file that all processes append to. */
import { existsSync, openSync, readSync } from "node:fs";
import path from "node:path";
import { machineMs } from "../../../src/runtime/machineClock.ts";
import { appendLine } from "../../../src/verify/history.ts";
import type { DidLine, RowLine } from "../history.ts";

const chunkBytes = 64 * 1_024;

export class AppRows {
  readonly #file: string;
  readonly #process: string;
  readonly #undone: Set<string> = new Set();
  readonly #done: Set<string> = new Set();
  readonly #chunk: Buffer = Buffer.allocUnsafe(chunkBytes);
  #opened: number | undefined;
  #readBytes = 0;
  #rest = "";

  constructor(folder: string, process: string) {
    this.#file = path.join(folder, "rows.ndjson");
    this.#process = process;
  }

  add(n: string): void {
    appendLine(this.#file, { is: "row", t: machineMs(), p: this.#process, n } satisfies RowLine);
  }

  do(n: string): void {
    appendLine(this.#file, { is: "did", t: machineMs(), p: this.#process, n } satisfies DidLine);
  }

  undone(): readonly string[] {
    this.#read();
    return [...this.#undone];
  }

  isDone(n: string): boolean {
    this.#read();
    return this.#done.has(n);
  }

  /** What came since. The lines are ASCII: a byte is a character. */
  #read(): void {
    if (this.#opened === undefined && !existsSync(this.#file)) return;
    this.#opened ??= openSync(this.#file, "r");
    for (;;) {
      const read = readSync(this.#opened, this.#chunk, 0, chunkBytes, this.#readBytes);
      if (read === 0) return;
      this.#readBytes += read;
      const texts = `${this.#rest}${this.#chunk.toString("latin1", 0, read)}`.split("\n");
      this.#rest = texts.pop() ?? "";
      for (const text of texts) this.#take(JSON.parse(text) as RowLine | DidLine);
    }
  }

  #take({ is, n }: RowLine | DidLine): void {
    if (is === "did") this.#done.add(n);
    if (is === "row" && !this.#done.has(n)) this.#undone.add(n);
    if (is === "did") this.#undone.delete(n);
  }
}
