/** What has been run so far, summed over all runs that were recorded: verify/certificate.json. A run that broke something is recorded as well. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { inRoot } from "../../scripts/root.ts";
import type { Tally } from "../tally.ts";
import { joined, type Span } from "./spans.ts";

export interface When {
  readonly at: string;
  /** Short; with a "+" where the sources had changes of their own. */
  readonly commit: string;
}

export interface Sum {
  readonly layer: string;
  readonly engine: string;
  readonly runs: number;
  /** Each begins the same again. */
  readonly seeds: readonly Span[];
  /** Added up; those whose names end in Most are the largest of all. */
  readonly counts: Readonly<Record<string, number>>;
  readonly first: When;
  readonly last: When;
}

export interface Broken extends When {
  readonly layer: string;
  /** What runs it again. */
  readonly command: string;
  /** What was wrong, and since when it is not any more; written by hand. */
  readonly cause?: string;
}

export interface Certificate {
  readonly version: string;
  readonly sums: readonly Sum[];
  readonly broken: readonly Broken[];
}

const file = inRoot("verify/certificate.json");

export function readCertificate(): Certificate {
  const { version } = JSON.parse(readFileSync(inRoot("package.json"), "utf8")) as { readonly version: string };
  const found = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Certificate) : { sums: [], broken: [] };
  return { ...found, version };
}

/** As a whole or not at all. */
export function writeCertificate(certificate: Certificate): void {
  const sums = [...certificate.sums].sort((one, other) => nameOf(one).localeCompare(nameOf(other), "en"));
  writeFileSync(`${file}.new`, `${JSON.stringify({ ...certificate, sums }, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

/** Read anew each time: another run may have added to it meanwhile. */
export function record(tallies: readonly Tally[], broken?: Broken): void {
  const when = now();
  const before = readCertificate();
  const sums = tallies.reduce((all, tally) => added(all, tally, when), before.sums);
  writeCertificate({ ...before, sums, broken: broken === undefined ? before.broken : [...before.broken, broken] });
}

export function added(sums: readonly Sum[], { layer, engine, seeds, counts }: Tally, when: When): readonly Sum[] {
  const own = sums.find((sum) => sum.layer === layer && sum.engine === engine);
  const sum: Sum = own ?? { layer, engine, runs: 0, seeds: [], counts: {}, first: when, last: when };
  const next = { ...sum, runs: sum.runs + 1, seeds: joined(sum.seeds, seeds), counts: summed(sum.counts, counts), last: when };
  return own === undefined ? [...sums, next] : sums.map((one) => (one === own ? next : one));
}

export function now(): When {
  const git = (...args: readonly string[]): string => execFileSync("git", args, { cwd: inRoot("."), encoding: "utf8" }).trim();
  const isChanged = git("status", "--porcelain", "--untracked-files=no", "--", "src", "verify", "test") !== "";
  return { at: new Date().toISOString(), commit: `${git("rev-parse", "--short", "HEAD")}${isChanged ? "+" : ""}` };
}

function summed(one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>): Record<string, number> {
  const all: Record<string, number> = { ...one };
  for (const [name, value] of Object.entries(other)) all[name] = name.endsWith("Most") ? Math.max(all[name] ?? 0, value) : (all[name] ?? 0) + value;
  return all;
}

function nameOf({ layer, engine }: Sum): string {
  return `${layer} ${engine}`;
}
