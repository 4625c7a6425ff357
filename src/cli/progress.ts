/** One line on a terminal that is written over; nothing elsewhere. */

export class Progress {
  readonly #total: number | undefined;

  /** `total`: how many there will be, if that is known. */
  constructor(total: number | undefined) {
    this.#total = total;
  }

  at(done: number): void {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${this.#words(done)}`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write("\r\u001b[2K");
  }

  #words(done: number): string {
    const jobs = done.toLocaleString("en-US");
    if (this.#total === undefined || this.#total < done) return `${jobs} jobs`;
    return `${jobs} of ${this.#total.toLocaleString("en-US")} jobs, ${Math.floor((100 * done) / Math.max(1, this.#total))} %`;
  }
}
