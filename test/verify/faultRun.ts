/** A short fault run, always with the same seed. */
import { verify, type Verified } from "../../src/verify/index.ts";

interface Size {
  readonly seconds: number;
  readonly workers: number;
  readonly producers: number;
}

export function faultRun(store: string, size: Size): Promise<Verified> {
  const { signal } = new AbortController();
  return verify({ store, ...size, seed: 20_261_122, leaseMs: 3_000, keep: false, progress: () => undefined, signal });
}

/** With their examples. */
export function brokenIn({ report }: Verified): readonly string[] {
  return report.verdict.invariants.filter(({ broken }) => broken > 0).map(({ id, examples }) => `${id}: ${examples.join("; ")}`);
}
