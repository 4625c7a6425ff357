/** One mutant, held to the laws and tests that run its place, in processes of its own, until one goes red. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { inRoot } from "../../scripts/root.ts";
import { nodeArgs, type Seer, type Seers } from "./coverage.ts";
import type { Mutant } from "./mutants.ts";

export type Fate = "killed" | "timed out" | "survived" | "not run";

export interface Tried {
  readonly fate: Fate;
  /** In words. */
  readonly by?: string;
  /** The law, or the file. */
  readonly seer?: string;
}

/** A law or file may take so much longer than it took without a mutant, on a machine that does much else. */
const patienceMs = 15_000;
const patienceTimes = 10;
const hook = inRoot("verify/planted/hook.ts");
const inLaws = ["verify/mutation/inMutant.ts"];
const inFiles = [`--test-reporter=${inRoot("verify/mutation/firstRed.ts")}`, "verify/mutation/inFiles.ts"];

interface Verdict {
  readonly is: "green" | "red" | "late";
  /** The place among the seers of the one that was at work. */
  readonly at: number;
  readonly said: string;
}

/** `last`: who noticed it last is asked first. */
export async function tried(mutant: Mutant, { laws, files }: Seers, last?: string): Promise<Tried> {
  if (laws.length === 0 && files.length === 0) return { fate: "not run" };
  const isLast = ({ name }: Seer): boolean => name === last;
  return (
    (await held(mutant, inLaws, laws.filter(isLast))) ??
    (await held(mutant, inFiles, files.filter(isLast))) ??
    (await held(mutant, inLaws, laws)) ??
    (await held(mutant, inFiles, files)) ?? { fate: "survived" }
  );
}

/** What is late must be so twice, and so must what is red in tests that know real time: a machine that stood still notices no mutant. */
async function held(mutant: Mutant, args: readonly string[], seers: readonly Seer[]): Promise<Tried | undefined> {
  if (seers.length === 0) return undefined;
  const first = await run(mutant, args, seers);
  if (first.is === "green") return undefined;
  const left = seers.slice(first.at);
  const again = first.is === "red" && args === inLaws ? { ...first, at: 0 } : await run(mutant, args, left);
  if (again.is === "green") return undefined;
  const seer = left[again.at]?.name;
  return { fate: again.is === "red" ? "killed" : "timed out", by: again.said, ...(seer !== undefined && { seer }) };
}

/** In a group of its own, so that what a test started ends with it. */
function run(mutant: Mutant, args: readonly string[], seers: readonly Seer[]): Promise<Verdict> {
  const child = spawn(process.execPath, [...nodeArgs, ...args], {
    cwd: inRoot("."),
    env: environmentOf(mutant),
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(JSON.stringify(seers.map(({ name }) => name)));
  return new Promise((resolve) => {
    const late = { is: false, timer: setTimeout(() => undefined, 0) };
    const seen: { at: number; red?: string } = { at: 0 };
    const begins = (at: number): void => {
      if (at >= 0) seen.at = at;
      clearTimeout(late.timer);
      late.timer = setTimeout(
        () => {
          late.is = true;
          endAll(child.pid);
        },
        patienceMs + patienceTimes * (seers[seen.at]?.ms ?? 0),
      );
    };
    begins(0);
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [, word, rest = ""] = /^(begun|red) (.*)$/.exec(line) ?? [];
      if (word === "begun") begins(seers.findIndex(({ name }) => name === rest));
      if (word === "red") seen.red ??= rest;
    });
    child.on("exit", () => endAll(child.pid));
    child.on("close", (code) => {
      clearTimeout(late.timer);
      const { at, red } = seen;
      const name = seers[at]?.name ?? "";
      if (late.is) resolve({ is: "late", at, said: name });
      else resolve({ is: code === 0 ? "green" : "red", at, said: red ?? `a process that ended in: ${name}` });
    });
  });
}

function endAll(group: number | undefined): void {
  try {
    if (group !== undefined) process.kill(-group, "SIGKILL");
  } catch {
    // None of them is left.
  }
}

function environmentOf({ file, start, end, to }: Mutant): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ERRAND_MUTANT: JSON.stringify({ file, start, end, to }),
    NODE_OPTIONS: `--import ${hook}`,
  };
}
