/** A lock as those who use it may rely on it, one thing at a time: who may hold it beside whom, and fences that only grow. */
import type { Specification } from "./linearizable.ts";

export type LockOp =
  /** `grant` names it for what follows. */
  | { readonly is: "granted"; readonly grant: string; readonly mode: "read" | "write"; readonly permits: number; readonly fence: number }
  /** Given back, or taken back by the store. */
  | { readonly is: "ended"; readonly grant: string };

export interface LockState {
  readonly holders: readonly { readonly grant: string; readonly mode: "read" | "write" }[];
  readonly fence: number;
}

export const lockSpecification: Specification<LockOp, LockState> = {
  start: { holders: [], fence: 0 },
  apply: (state, op) => (op.is === "granted" ? granted(state, op) : ended(state, op.grant)),
  key: ({ holders, fence }) =>
    `${fence} ${holders
      .map(({ grant }) => grant)
      .toSorted()
      .join(" ")}`,
};

function granted({ holders, fence }: LockState, op: Extract<LockOp, { readonly is: "granted" }>): LockState | undefined {
  if (op.fence <= fence) return undefined;
  const writers = holders.filter(({ mode }) => mode === "write").length;
  const isFree = op.mode === "read" ? writers === 0 : writers === holders.length && writers < op.permits;
  return isFree ? { holders: [...holders, { grant: op.grant, mode: op.mode }], fence: op.fence } : undefined;
}

function ended({ holders, fence }: LockState, grant: string): LockState | undefined {
  if (!holders.some((holder) => holder.grant === grant)) return undefined;
  return { holders: holders.filter((holder) => holder.grant !== grant), fence };
}
