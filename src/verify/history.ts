/**
 * The history of a fault run: what each process asked of the store and was answered, what its jobs did, and what was done to it; a JSON text a line,
 * a file for each process.
 *
 * A line is written before the call that it tells of and after its answer, by one write with O_APPEND: what a killed process had begun is known.
 */
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { machineMs } from "../runtime/machineClock.ts";
import type { Fault } from "./faults/fault.ts";

/** What is asked of the store. */
export type Asked =
  | { readonly op: "enqueue"; readonly kind: JobKind; readonly n: string; readonly key?: string; readonly delayMs?: number }
  /** Jobs n.0, n.1 and so on, by one call. */
  | { readonly op: "bulk"; readonly n: string; readonly jobs: number }
  | { readonly op: "publish"; readonly n: string }
  | { readonly op: "batch"; readonly n: string; readonly members: readonly string[]; readonly isFailing: boolean }
  | { readonly op: "cancel"; readonly n: string }
  | { readonly op: "lock"; readonly name: string }
  | { readonly op: "unlock"; readonly name: string; readonly granted: number };

/** What a run of the workload's jobs is of. Its task's name says so. */
export type JobKind = "plain" | "doomed" | "ordered" | "unique" | "limited" | "long" | "premise" | "member" | "callback" | "hop" | "slot" | OwnKind;

/** Of fault runs on servers of their own, which do more. */
export type OwnKind = "bulk" | "within" | "paced" | "poison" | "restored" | "alert";

export type Line = CallLine | AnswerLine | RunLine | GuardedLine | FaultLine | PhaseLine | JobLine | CountLine;

interface Written {
  /** Machine time, in ms: one clock for all processes of the run. */
  readonly t: number;
  /** The process: w3 is the third worker. */
  readonly p: string;
}
/** `seq` is the call's number in its process. */
export type CallLine = Written & { readonly is: "call"; readonly seq: number } & Asked;
/** fail: definitely not done. info: it may have been done. A call that is made again has several. */
export interface AnswerLine extends Written {
  readonly is: "ok" | "fail" | "info";
  readonly seq: number;
  /** Of an error. */
  readonly code?: string;
  readonly id?: string;
  readonly isDuplicate?: boolean;
  readonly cancelled?: string;
  readonly fence?: number;
}
/** failed: it threw, as planned. aborted: its signal fired. saved: a checkpoint is stored. */
export interface RunLine extends Written {
  readonly is: "start" | "end" | "failed" | "aborted" | "saved";
  readonly kind: JobKind;
  readonly n: string;
  readonly job: string;
  readonly fence: number;
  readonly attempt: number;
  readonly checkpoint?: number;
}
/** What the holder of a lock, or a leader, did to what is protected: raised its fence, or wrote a value under it. The order of a file's lines decides. */
export interface GuardedLine extends Written {
  readonly is: "guarded";
  readonly name: string;
  readonly fence: number;
  readonly value?: number;
}
export interface FaultLine extends Fault {
  readonly is: "fault";
}
export interface PhaseLine {
  readonly is: "phase";
  readonly t: number;
  readonly phase: "warm-up" | "faults" | "heal" | "drained" | "not drained";
}
/** A job as the store has it in the end. Instants are the store's. */
export interface JobLine {
  readonly is: "job";
  readonly id: string;
  readonly kind: JobKind;
  readonly n: string;
  readonly state: string;
  readonly starts: number;
  readonly attempts: number;
  readonly isPoison: boolean;
  /** Of its last ten attempts: how often its worker's lease ended. */
  readonly crashes?: number;
  readonly enqueuedAt: number;
  readonly slotAt?: number;
  readonly reason?: string;
}
/** How many jobs of a state the store counts. */
export interface CountLine {
  readonly is: "count";
  readonly state: string;
  readonly jobs: number;
}

type Unwritten<L> = L extends Written ? Omit<L, "t" | "p"> : never;

/** Of one process. */
export class HistoryWriter {
  readonly #file: number;
  readonly #process: string;
  #calls = 0;

  constructor(file: string, process: string) {
    this.#file = openSync(file, "a");
    this.#process = process;
  }

  /** The number of a call that begins. */
  call(asked: Asked): number {
    const seq = ++this.#calls;
    this.write({ is: "call", seq, ...asked });
    return seq;
  }

  write(line: Unwritten<Line>): void {
    writeLine(this.#file, { t: machineMs(), p: this.#process, ...line });
  }

  close(): void {
    closeSync(this.#file);
  }
}

export function appendLine(file: string, line: object): void {
  const opened = openSync(file, "a");
  writeLine(opened, line);
  closeSync(opened);
}

function writeLine(file: number, line: object): void {
  writeSync(file, `${JSON.stringify(line)}\n`); // below 4 KiB: one write
}

const chunkBytes = 64 * 1_024;

/** Line by line, whatever its length. One that its process was killed in the middle of is left out. */
export function* linesOf(file: string): Generator<Line> {
  const opened = openSync(file, "r");
  const decoder = new TextDecoder();
  const chunk = Buffer.allocUnsafe(chunkBytes);
  let rest = "";
  try {
    for (let read = readSync(opened, chunk); read > 0; read = readSync(opened, chunk)) {
      const texts = `${rest}${decoder.decode(chunk.subarray(0, read), { stream: true })}`.split("\n");
      rest = texts.pop() ?? "";
      for (const text of texts) yield JSON.parse(text) as Line;
    }
  } finally {
    closeSync(opened);
  }
}
