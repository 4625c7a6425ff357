/**
 * What a lock protects: a count in a file that all append to. Whoever got the lock raises its fence there, then reads, then writes one more; a fence below the
 * largest that was raised before is refused, by everyone who reads the file. So what is accepted is decided by the order of the lines alone.
 */
import { openSync, readSync, writeSync } from "node:fs";
import { machineMs } from "../../runtime/machineClock.ts";
import type { GuardedLine } from "../history.ts";

const chunkBytes = 64 * 1_024;

/** Reads the lines of one such file in their order. */
export class Count {
  raised = 0;
  value = 0;

  /** False: refused. */
  take({ fence, value }: Pick<GuardedLine, "fence" | "value">): boolean {
    const isTaken = fence >= this.raised;
    this.raised = Math.max(this.raised, fence);
    if (isTaken && value !== undefined) this.value = value;
    return isTaken;
  }
}

export class Guarded {
  readonly #name: string;
  readonly #process: string;
  readonly #file: number;
  readonly #count: Count = new Count();
  readonly #chunk: Buffer = Buffer.allocUnsafe(chunkBytes);
  #readBytes = 0;
  #rest = "";

  constructor(name: string, file: string, process: string) {
    this.#name = name;
    this.#process = process;
    this.#file = openSync(file, "a+");
  }

  /** Raises the fence; answers the count, or undefined where a larger one was raised before. */
  raise(fence: number): number | undefined {
    this.#append({ fence });
    this.#read();
    return this.#count.raised > fence ? undefined : this.#count.value;
  }

  write(fence: number, value: number): void {
    this.#append({ fence, value });
  }

  #append(entry: { readonly fence: number; readonly value?: number }): void {
    const line: GuardedLine = { is: "guarded", t: machineMs(), p: this.#process, name: this.#name, ...entry };
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }

  /** What came since. The lines are ASCII: a byte is a character. */
  #read(): void {
    for (;;) {
      const read = readSync(this.#file, this.#chunk, 0, chunkBytes, this.#readBytes);
      if (read === 0) return;
      this.#readBytes += read;
      const texts = `${this.#rest}${this.#chunk.toString("latin1", 0, read)}`.split("\n");
      this.#rest = texts.pop() ?? "";
      for (const text of texts) this.#count.take(JSON.parse(text) as GuardedLine);
    }
  }
}
