/**
 * What a power cut may leave of files: all that was synced; of the rest any sectors, of any of the writes to them; a size that was set or not; and names that were
 * made or removed, or not, where their folder was not synced since.
 */
import { Dice } from "../../test/port/dice.ts";
import { parts } from "./recording.ts";
import type { Part, Seen } from "./recording.ts";

const sectorBytes = 512;

type Change = Extract<Seen, { is: "wrote" | "cut" }>;

/** A file, whatever names it has. */
class Inode {
  synced: Buffer = Buffer.alloc(0);
  readonly pending: Change[] = [];

  /** As whoever reads it sees it, and as a sync makes it last. */
  sync(): void {
    this.synced = this.torn(1);
    this.pending.length = 0;
  }

  /** `share`: of the sectors that were not synced, how many are kept. */
  torn(share: number, dice: Dice = new Dice(0)): Buffer {
    const content = new Content(this.synced, Math.max(0, ...this.pending.map(endOf)));
    for (const change of this.pending) {
      if (change.is === "wrote") content.write(change, share, dice);
      else if (dice.chance(share)) content.cut(change.size);
    }
    return content.bytes;
  }
}

function endOf(change: Change): number {
  return change.is === "cut" ? change.size : change.offset + change.bytes.length;
}

/** Bytes of a file that grows, in place. */
class Content {
  readonly #room: Buffer;
  #size: number;

  constructor(before: Buffer, sizeMax: number) {
    this.#room = Buffer.alloc(Math.max(before.length, sizeMax));
    before.copy(this.#room);
    this.#size = before.length;
  }

  get bytes(): Buffer {
    return this.#room.subarray(0, this.#size);
  }

  cut(size: number): void {
    this.#grow(size, 0);
    this.#size = size;
  }

  write({ offset, bytes }: Extract<Change, { is: "wrote" }>, share: number, dice: Dice): void {
    const end = offset + bytes.length;
    // The size may be kept where the bytes are not: what stands there then is what the disk held before.
    if (dice.chance(share)) this.#grow(end, share === 1 || dice.chance(0.5) ? 0 : 0xa5);
    for (let from = offset; from < end;) {
      const to = Math.min(end, from - (from % sectorBytes) + sectorBytes);
      if (dice.chance(share)) {
        this.#grow(to, 0);
        bytes.copy(this.#room, from, from - offset, to - offset);
      }
      from = to;
    }
  }

  #grow(size: number, filling: number): void {
    if (size <= this.#size) return;
    this.#room.fill(filling, this.#size, size);
    this.#size = size;
  }
}

/** Files as they come to be, event by event. */
export class Disk {
  readonly #named = new Map<Part, Inode>();
  /** As of when the folder was synced last. */
  readonly #kept = new Map<Part, Inode>();
  readonly #renamed: { readonly part: Part; readonly inode: Inode | undefined }[] = [];

  take(seen: Seen): void {
    if (seen.is === "told") return;
    if (seen.is === "synced the folder") return this.#syncFolder();
    if (seen.is === "made") return this.#name(seen.part, new Inode());
    if (seen.is === "removed") return this.#name(seen.part, undefined);
    const inode = this.#named.get(seen.part);
    if (inode === undefined) throw new Error(`work.db${seen.part} is written and was never made`);
    if (seen.is === "synced") inode.sync();
    else if (seen.is === "wrote" || seen.is === "cut") inode.pending.push(seen);
  }

  /** Whether a cut leaves only one thing. */
  get isSettled(): boolean {
    return this.#renamed.length === 0 && [...this.#named.values()].every(({ pending }) => pending.length === 0);
  }

  /** One that a cut may leave, with about so large a share of what was not synced. */
  cut(share: number, dice: Dice): ReadonlyMap<Part, Buffer> {
    const names = new Map(this.#kept);
    for (const { part, inode } of this.#renamed) if (dice.chance(share)) setOrDelete(names, part, inode);
    const image = new Map<Part, Buffer>();
    for (const part of parts) {
      const inode = names.get(part);
      if (inode !== undefined) image.set(part, inode.torn(share, dice));
    }
    return image;
  }

  #name(part: Part, inode: Inode | undefined): void {
    setOrDelete(this.#named, part, inode);
    this.#renamed.push({ part, inode });
  }

  #syncFolder(): void {
    for (const { part, inode } of this.#renamed) setOrDelete(this.#kept, part, inode);
    this.#renamed.length = 0;
  }
}

function setOrDelete(names: Map<Part, Inode>, part: Part, inode: Inode | undefined): void {
  if (inode === undefined) names.delete(part);
  else names.set(part, inode);
}
