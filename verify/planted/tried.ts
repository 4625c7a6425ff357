/** Runs a layer with a bug in place, in a process of its own that ends with all that it started. */
import { spawn } from "node:child_process";
import { inRoot } from "../../scripts/root.ts";
import type { Program } from "./layers.ts";

export interface Tried {
  /** Undefined: it does not see the bug. */
  readonly by: string | undefined;
  readonly seconds: number;
}

export const withinMs = 600_000;
const hook = inRoot("verify/planted/hook.ts");
const byMax = 200;

/** Without a bug: undefined. Rejects where the program itself could not run. */
export async function tried(bug: string | undefined, { args, env = {} }: Program, mostMs: number = withinMs): Promise<Tried> {
  const begun = process.hrtime.bigint();
  const options = `--import ${hook} --disable-warning=ExperimentalWarning`;
  const child = spawn(process.execPath, [...args], {
    cwd: inRoot("."),
    // Within a test, Node's test runner would take its own files for done.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env, ERRAND_PLANTED: bug ?? "", ERRAND_TALLY: "/dev/null", NODE_OPTIONS: options },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let said = "";
  child.stdout.on("data", (some: Buffer) => (said += some.toString()));
  child.stderr.on("data", (some: Buffer) => (said += some.toString()));
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), "SIGKILL"), mostMs);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  const seconds = Math.round(Number(process.hrtime.bigint() - begun) / 1e8) / 10;
  if (/the place of a planted bug stands|no planted bug is called/.test(said)) throw new Error(said);
  return { by: byOf(said, code), seconds };
}

/** What went red first, in its own words. */
function byOf(said: string, code: number | null): string | undefined {
  // Not by a pattern: what a law says may hold other ends of a line.
  const law = said.split("\n").find((line) => line.startsWith('{"caught":'));
  if (law !== undefined) return (JSON.parse(law) as { readonly by?: string }).by;
  if (code === 0) return undefined;
  const red = /^\s*not ok \d+ - (.*)$/m.exec(said)?.[1] ?? /^(I\d+)\s+BROKEN.*$/m.exec(said)?.[0]?.replaceAll(/\s+/g, " ");
  return (red ?? (code === null ? "it did not end" : `exit code ${code}`)).slice(0, byMax);
}
