/** Plays a round in a process of its own, and tells what it did. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { inRoot } from "../../scripts/root.ts";
import type { Tally } from "../tally.ts";
import type { Layer, Size } from "./layers.ts";

export interface Played {
  readonly code: number;
  readonly tallies: readonly Tally[];
  /** Plays it again. */
  readonly command: string;
  readonly tookMs: number;
}

/** `isHeard`: what it says is seen as it says it; else only if it fails. */
export async function play(layer: Layer, size: Size, isHeard: boolean): Promise<Played> {
  const { args, env, seeds } = layer.round(size);
  const folder = mkdtempSync(path.join(tmpdir(), "errand-tally-"));
  const file = path.join(folder, "tally.ndjson");
  const begun = process.hrtime.bigint();
  try {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
      cwd: inRoot("."),
      env: { ...process.env, ...env, ERRAND_TALLY: file },
      stdio: isHeard ? "inherit" : ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stdout?.on("data", (some: Buffer) => (said += some.toString()));
    child.stderr?.on("data", (some: Buffer) => (said += some.toString()));
    const code = await new Promise<number>((resolve) => child.on("close", (status) => resolve(status ?? 2)));
    if (code !== 0) console.log(said);
    const told = existsSync(file) ? talliesIn(readFileSync(file, "utf8")) : [];
    const own: Tally = {
      layer: layer.layer,
      engine: layer.on ?? "all",
      seeds: seeds === 1 ? String(size.seed) : `${size.seed}..${size.seed + seeds - 1}`,
      counts: {},
    };
    const command = [...Object.entries(env).map(([name, value]) => `${name}=${value}`), "node", ...args].join(" ");
    return { code, tallies: told.length === 0 && code === 0 ? [own] : told, command, tookMs: Number(process.hrtime.bigint() - begun) / 1e6 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of a file that ERRAND_TALLY named. */
export function talliesIn(text: string): Tally[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Tally);
}
