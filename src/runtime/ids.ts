/**
 * UUIDv7 (RFC 9562) as 32 hex digits, each greater than the one before it in this process, whatever the clock does. 0.1 µs each. The last four digits are a lot that is drawn
 * for some milliseconds: a store of several partitions keeps together what was handed in together, and finds it there again by the id alone.
 */
import { randomBytes, randomFillSync } from "node:crypto";
import type { Instant } from "../core/runtime.ts";

/** Random bytes are drawn for so many ids at once: one call to the system costs more than an id. */
const idsPerDraw = 512;
const bytesPerId = 6;
const bytesPerLot = 2;
const lotMs = 2;
const counterMax = 0xfff;
const hexOfByte: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export class Ids {
  readonly #bytes: Buffer = Buffer.alloc(idsPerDraw * bytesPerId);
  #hex = "";
  #drawn = idsPerDraw;
  #ms: Instant = 0;
  #counter = 0;
  #head = "";
  #lot = "";
  #lotUntil: Instant = 0;

  next(now: Instant): string {
    if (this.#drawn === idsPerDraw) this.#draw();
    if (now > this.#ms) this.#enter(now);
    else if (++this.#counter > counterMax) this.#enter(this.#ms + 1);
    const start = 2 * bytesPerId * this.#drawn++;
    return `${this.#head}7${hexOfByte[this.#counter >> 4]}${(this.#counter & 15).toString(16)}${this.#hex.slice(start, start + 2 * bytesPerId)}${this.#lot}`;
  }

  /** The 12 bits after the version count within a millisecond, from a start in their lower half: 2,048 ids at least before the next one is borrowed. */
  #enter(ms: Instant): void {
    this.#ms = ms;
    this.#counter = this.#bytes.readUInt16LE(bytesPerId * this.#drawn + 1) & (counterMax >> 1);
    this.#head = ms.toString(16).padStart(12, "0");
    if (ms < this.#lotUntil) return;
    this.#lotUntil = ms + lotMs;
    this.#lot = randomBytes(bytesPerLot).toString("hex");
  }

  #draw(): void {
    randomFillSync(this.#bytes);
    for (let i = 0; i < this.#bytes.length; i += bytesPerId) this.#bytes[i] = 0x80 | ((this.#bytes[i] ?? 0) & 0x3f); // the variant
    this.#hex = this.#bytes.toString("hex");
    this.#drawn = 0;
  }
}
