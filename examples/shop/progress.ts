/** How far a run is: one line that changes on a terminal, a line every few seconds elsewhere. Written to stderr, so that stdout holds the result alone. */
import { styleText } from "node:util";

const everyMs = 3_000;
const barWidth = 24;

export interface Moment {
  readonly phase: string;
  readonly sent: number;
  readonly orders: number;
  readonly effects: number;
  readonly news: string;
}

export class Progress {
  readonly #stream = process.stderr;
  #shownAt = -Infinity;
  #hasLine = false;

  show(moment: Moment): void {
    const text = `${moment.phase.padEnd(8)} ${bar(moment.sent / moment.orders)} ${counted(moment.sent)} orders, ${counted(moment.effects)} effects`;
    const news = moment.news && `  ${moment.news}`;
    if (this.#stream.isTTY) return this.#rewrite(`${text}${styleText("dim", news, { stream: this.#stream })}`);
    if (performance.now() - this.#shownAt < everyMs) return;
    this.#shownAt = performance.now();
    this.#stream.write(`${text}${news}\n`);
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
