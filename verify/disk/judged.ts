/** Whether a file holds what it must: all that was acknowledged, nothing of what was not begun, and each step whole or not at all. */

export interface Found {
  /** The last step that was acknowledged, and the last one whose effect may be there; -1: none. */
  readonly done: number;
  readonly latest: number;
  readonly fingerprint: string;
  /** What else is wrong with the file. */
  readonly complaint: string;
}

export interface Judged {
  /** Empty: all is as it must be. */
  readonly complaint: string;
  /** Steps that were acknowledged, and those of them that are not there. */
  readonly acknowledged: number;
  readonly missing: number;
}

/** `states`: what the file holds before the first step, then after each. */
export function judge(states: readonly string[], { done, latest, fingerprint, complaint }: Found): Judged {
  const acknowledged = done + 1;
  if (complaint !== "") return { complaint, acknowledged, missing: 0 };
  if (states.slice(acknowledged, latest + 2).includes(fingerprint)) return { complaint, acknowledged, missing: 0 };
  const steps = states.lastIndexOf(fingerprint);
  const held = steps < 0 ? "something that no step left" : `what was there after ${steps} steps`;
  return {
    complaint: `${acknowledged} steps were acknowledged and ${latest + 1} may be there, and the file holds ${held}`,
    acknowledged,
    missing: steps < 0 ? 0 : Math.max(0, acknowledged - steps),
  };
}
