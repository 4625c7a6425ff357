/** Something bad that was done to a process, or to its way to the store. */
export type ProcessFault =
  /** SIGKILL. */
  | "kill"
  /** SIGSTOP, for longer than a lease, then SIGCONT. */
  | "stop"
  /** SIGTERM: asked to end. */
  | "term"
  /** Its connections are reset, and new ones refused. */
  | "cut"
  /** Its connections stay, and nothing passes. */
  | "freeze"
  /** Everything takes longer. */
  | "delay"
  /** What it says arrives, what it is answered does not. */
  | "half-open"
  /** Another one holds the write lock of the file. */
  | "busy";

/** Done to the server, where a run has one of its own: killed, stopped for a while, another one promoted, slots moved, emptied, connections ended. */
export type ServerFault = "crash" | "hang" | "promote" | "move" | "wipe" | "terminate";

export type FaultKind = ProcessFault | ServerFault;

export interface Fault {
  readonly kind: FaultKind;
  /** The process; "*": all of them. */
  readonly on: string;
  /** Machine time, in ms. */
  readonly from: number;
  readonly to: number;
}

/** Faults between a process and the store. */
export const networkFaults: readonly ProcessFault[] = ["cut", "freeze", "delay", "half-open"];

export const faultWords: Readonly<Record<FaultKind, string>> = {
  kill: "SIGKILL",
  stop: "SIGSTOP beyond the lease",
  term: "SIGTERM",
  cut: "cut connections",
  freeze: "frozen connections",
  delay: "slow connections",
  "half-open": "half-open connections",
  busy: "a file that could not be written",
  crash: "server crashes",
  hang: "server pauses",
  promote: "promotions",
  move: "moves of slots",
  wipe: "emptied stores",
  terminate: "ended backends",
};
