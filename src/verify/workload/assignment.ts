/** What a process of the run is told by its environment. */
import { sleep } from "../sleep.ts";
import type { Reach } from "../stores/place.ts";

export interface Assignment {
  /** w3, p1. */
  readonly name: string;
  readonly reach: Reach;
  /** Of the histories, and of what locks protect. */
  readonly folder: string;
  readonly seed: number;
  /** Of a worker. */
  readonly hands: number;
  readonly lease: `${number}ms`;
  /** Calls a second of a producer. */
  readonly rate: number;
}

/** What a process tells the one that started it. */
export type Told = { readonly is: "ready" } | { readonly is: "failed"; readonly reason: string };

const variable = "ERRAND_VERIFY";

export function environmentOf(assignment: Assignment): Readonly<Record<string, string>> {
  return { [variable]: JSON.stringify(assignment) };
}

export function assignmentHere(): Assignment {
  return JSON.parse(process.env[variable] ?? "{}") as Assignment;
}

/** Without the one that started it, nobody would end it. */
export function endWithParent(): void {
  process.once("disconnect", () => process.exit(1));
}

function tell(told: Told): void {
  process.send?.(told);
}

const beginTries = 40;
const beginAgainMs = 500;

/** Under faults a process that begins may not reach the store; whoever looks after it would start it again. Tells when it works, or why it never did. */
export async function begin(work: () => Promise<unknown>): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    try {
      await work();
      tell({ is: "ready" });
      return true;
    } catch (error) {
      if (tries === beginTries) {
        tell({ is: "failed", reason: error instanceof Error ? error.message : String(error) });
        return false;
      }
      await sleep(beginAgainMs);
    }
  }
}
