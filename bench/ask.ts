/** One question to one system, in a process of its own. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Asked, Figures, Question } from "./systems/system.ts";

const run = promisify(execFile);
const errorLinesMax = 20;
/** Longer than the longest answer takes by far. */
const answersWithinMs = 20 * 60_000;
const child = new URL("child.ts", import.meta.url).pathname;

export interface Ask {
  readonly system: string;
  readonly question: Question;
  /** For messages. */
  readonly title: string;
  readonly jobs: number;
  readonly asked: { readonly [Name in keyof Asked]?: Asked[Name] | undefined };
}

export async function ask({ system, question, title, jobs, asked }: Ask): Promise<Figures> {
  try {
    const args = ["--disable-warning=ExperimentalWarning", child, system, question, String(jobs), JSON.stringify(asked)];
    const { stdout } = await run(process.execPath, args, { maxBuffer: 1e8, timeout: answersWithinMs });
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") as Figures;
  } catch (error) {
    const { stderr, killed } = error as { readonly stderr?: string; readonly killed?: boolean };
    const when = killed === true ? ` within ${answersWithinMs / 60_000} minutes` : "";
    throw new Error(`${title}: ${system} gave no answer${when}\n${(stderr ?? String(error)).split("\n").slice(0, errorLinesMax).join("\n")}`, { cause: error });
  }
}
