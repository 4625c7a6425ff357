/** How far a run is: one line that changes on a terminal, a line every few seconds elsewhere. Written to stderr, so that stdout holds the result alone. */
import { styleText } from "node:util";

const everyMs = 3_000;
const barWidth = 24;

export interface Moment {
  readonly run: string;
  readonly charged: number;
  readonly mailed: number;
  readonly customers: number;
  readonly news: string;
}

export class Progress {
  readonly #stream = process.stderr;
  #shownAt = -Infinity;
  #hasLine = false;

  show({ run, charged, mailed, customers, news }: Moment): void {
    const share = (charged + mailed) / (2 * customers);
    const text = `${run.padEnd(8)} ${bar(share)} ${counted(charged)} charged, ${counted(mailed)} mailed`;
    const tail = news && `  ${news}`;
    if (this.#stream.isTTY) return this.#rewrite(`${text}${styleText("dim", tail, { stream: this.#stream })}`);
    if (performance.now() - this.#shownAt < everyMs) return;
    this.#shownAt = performance.now();
    this.#stream.write(`${text}${tail}\n`);
  }

  /** A line that stays. */
  say(line: string): void {
    this.clear();
    this.#stream.write(`${line}\n`);
  }

  clear(): void {
    if (this.#hasLine) this.#stream.write("\r\u001b[2K");
    this.#hasLine = false;
  }

  #rewrite(line: string): void {
    this.#stream.write(`\r\u001b[2K${line}`);
    this.#hasLine = true;
  }
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, share) * barWidth);
  return `${"█".repeat(full)}${"░".repeat(barWidth - full)}`;
}

function counted(number: number): string {
  return number.toLocaleString("en").padStart(6);
}
