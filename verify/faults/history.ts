/** What a run on servers of its own writes down beside what every fault run does. */
import type { ServerFault } from "../../src/verify/faults/fault.ts";
import type { Line } from "../../src/verify/history.ts";

export type OwnLine = RowLine | DidLine | AppRowLine | AlertLine | NeighbourLine | ServerFaultLine | DiedLine | SettledLine | StarvedLine;

/** The app's own table says that something is to be done; and that it was. */
export interface RowLine {
  readonly is: "row";
  readonly t: number;
  readonly p: string;
  readonly n: string;
}
export interface DidLine {
  readonly is: "did";
  readonly t: number;
  readonly p: string;
  readonly n: string;
}
/** In the end the app's database has the row that was written in the transaction of this job. */
export interface AppRowLine {
  readonly is: "app-row";
  readonly n: string;
}
/** In the end there is a job that tells of the death of another one. */
export interface AlertLine {
  readonly is: "alert";
  /** The dead one. */
  readonly of: string;
}
/** Of another store on the same server: what was handed in there, and what it holds in the end. */
export interface NeighbourLine {
  readonly is: "neighbour-asked" | "neighbour-job";
  readonly n: string;
  readonly t?: number;
  /** ok, fail or info; the state of the job. */
  readonly how: string;
  readonly starts?: number;
}
export interface ServerFaultLine {
  readonly is: "fault";
  readonly kind: ServerFault;
  readonly on: "*";
  readonly from: number;
  readonly to: number;
  /** What was stored from then on until `to` may be gone, as the store's guarantees say. */
  readonly forgetsFrom?: number;
}
/** A process, or all of them ("*"), that got no time from the machine. */
export interface StarvedLine {
  readonly is: "fault";
  readonly kind: "hang";
  readonly on: string;
  readonly from: number;
  readonly to: number;
  readonly by: "machine";
}
/** A worker was told by the store that a job has ended. */
export interface SettledLine {
  readonly is: "settled";
  readonly t: number;
  readonly p: string;
  readonly job: string;
  readonly fence: number;
  /** When it began to ask. */
  readonly from: number;
}
/** A process that a poison job killed. */
export interface DiedLine {
  readonly is: "fault";
  readonly kind: "kill";
  readonly on: string;
  readonly from: number;
  readonly to: number;
  readonly by: "poison";
}

export type AnyLine = Line | OwnLine;

/** Lines of such a run, read as what they are. */
export function ownLines(lines: Iterable<Line>): Iterable<AnyLine> {
  return lines as Iterable<AnyLine>;
}
