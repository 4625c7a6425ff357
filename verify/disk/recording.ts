/** A life as the disk saw it: what was written, synced, made and removed, and what was told meanwhile, in one order. */
import type { Told } from "./told.ts";
import type { Call } from "./strace.ts";

/** Which of its files: the database "", its log "-wal", its rollback journal "-journal". */
export type Part = "" | "-wal" | "-journal";
export const parts: readonly Part[] = ["", "-wal", "-journal"];

export type Seen =
  | { readonly is: "made" | "synced" | "removed"; readonly part: Part }
  | { readonly is: "wrote"; readonly part: Part; readonly offset: number; readonly bytes: Buffer }
  | { readonly is: "cut"; readonly part: Part; readonly size: number }
  | { readonly is: "synced the folder" }
  | { readonly is: "told"; readonly told: Told };

const quoted = /"((?:\\x[0-9a-f]{2})*)"/;
const ofDescriptor = /^\d+<((?:\\x[0-9a-f]{2})*)>/;
const answer = /\)\s+= (-?\d+)/;

/** `calls` with all bytes. The log's index is no part of it: whoever comes first after a restart makes it anew. */
export function recordingOf(calls: readonly Call[], folder: string, file: string): readonly Seen[] {
  const recorder = new Recorder(folder, file);
  return calls.flatMap((call) => recorder.see(call));
}

class Recorder {
  readonly #folder: string;
  readonly #file: string;
  readonly #there = new Set<Part>();

  constructor(folder: string, file: string) {
    this.#folder = folder;
    this.#file = file;
  }

  see({ call, text }: Call): readonly Seen[] {
    const answered = Number(answer.exec(text)?.[1] ?? -1);
    if (answered < 0) return [];
    if (call === "openat") return this.#opened(decoded(quoted, text).toString(), text);
    if (call === "unlink") return this.#removed(decoded(quoted, text).toString());
    const path = decoded(ofDescriptor, text).toString();
    if (call === "write") return toldIn(decoded(quoted, text));
    if ((call === "fsync" || call === "fdatasync") && path === this.#folder) return [{ is: "synced the folder" }];
    const part = this.#partOf(path);
    if (part === undefined) return [];
    const numbers = [...text.replace(quoted, "").matchAll(/, (\d+)/g)].map(([, digits]) => Number(digits));
    if (call === "fsync" || call === "fdatasync") return [{ is: "synced", part }];
    if (call === "ftruncate") return [{ is: "cut", part, size: numbers[0] ?? 0 }];
    return call === "pwrite64" ? [{ is: "wrote", part, offset: numbers.at(-1) ?? 0, bytes: decoded(quoted, text).subarray(0, answered) }] : [];
  }

  #opened(path: string, text: string): readonly Seen[] {
    const part = this.#partOf(path);
    if (part === undefined || this.#there.has(part) || !text.includes("O_CREAT")) return [];
    this.#there.add(part);
    return [{ is: "made", part }];
  }

  #removed(path: string): readonly Seen[] {
    const part = this.#partOf(path);
    if (part === undefined) return [];
    this.#there.delete(part);
    return [{ is: "removed", part }];
  }

  #partOf(path: string): Part | undefined {
    return parts.find((part) => path === `${this.#file}${part}`);
  }
}

function toldIn(bytes: Buffer): readonly Seen[] {
  const text = bytes.toString();
  return text.startsWith('{"step"') ? [{ is: "told", told: JSON.parse(text) as Told }] : [];
}

function decoded(pattern: RegExp, text: string): Buffer {
  return Buffer.from((pattern.exec(text)?.[1] ?? "").replaceAll("\\x", ""), "hex");
}
