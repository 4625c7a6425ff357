/** Runs a program under strace, which tells its system calls on named files, or makes one of them fail. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import path from "node:path";

const places = ["/usr/bin/strace", "/usr/local/bin/strace", "/bin/strace"];
const named = process.env["STRACE"];
const file = (named === undefined ? places : [named]).find((place) => existsSync(place));
/** It has nothing to wait for. */
const lifeTimeoutMs = 60_000;

/** Why nothing can be killed or failed at its system calls here; undefined if it can. */
export const straceMissing: string | undefined =
  file === undefined
    ? `strace is not installed here (apt-get install strace); it is looked for ${named === undefined ? `in ${places.join(", ")}, or where STRACE says` : `at ${named}, as STRACE says`}`
    : refusalOf(file);

/** An old one knows not all that is asked of it, and some containers let nobody trace. */
function refusalOf(strace: string): string | undefined {
  const asked = ["-f", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=1..2", process.execPath, "--version"];
  const { status, stderr } = spawnSync(strace, asked, { encoding: "utf8" });
  return status === 0 ? undefined : `${strace} does not do it here: ${stderr.trim()}`;
}

/** What the engine's files are written, synced, locked and removed by. Reads are only failed. */
export const traced = ["openat", "pread64", "pwrite64", "write", "fsync", "fdatasync", "ftruncate", "unlink", "fcntl", "mmap"] as const;
export type Traced = (typeof traced)[number];

/** The `nth` call of that name on the watched files. */
export interface Point {
  readonly call: Traced;
  readonly nth: number;
}

export type Fault = "KILL" | { readonly error: string; readonly times: number };

export interface Straced {
  readonly program: readonly string[];
  /** Where its standard output goes. */
  readonly toldFile: string;
  readonly traceFile: string;
  /** Only calls on these files, and on what is told. Absent: on all. */
  readonly watched?: readonly string[];
  readonly point?: Point;
  readonly fault?: Fault;
  /** Tells all bytes that are written. */
  readonly hasBytes?: boolean;
}

export interface Ended {
  readonly code: number | null;
  readonly said: string;
}

export async function strace(asked: Straced): Promise<Ended> {
  if (file === undefined) throw new Error(straceMissing);
  const told = openSync(asked.toldFile, "a");
  const env = { NODE_COMPILE_CACHE: compileCache, ...process.env, NODE_OPTIONS: "", NODE_TEST_CONTEXT: undefined };
  const child = spawn(file, [...argumentsFor(asked), process.execPath, ...asked.program], { stdio: ["ignore", told, "pipe"], env, detached: true });
  closeSync(told);
  // strace heeds no other signal while its program lives, and its program outlives it.
  const timer = setTimeout(() => process.kill(-(child.pid ?? 0), "SIGKILL"), lifeTimeoutMs);
  const said: string[] = [];
  child.stderr?.setEncoding("utf8").on("data", (text: string) => said.push(text));
  await once(child, "close");
  clearTimeout(timer);
  return { code: child.exitCode, said: said.join("") };
}

/** The sources are read some thousand times. */
const compileCache = path.join(import.meta.dirname, "../../node_modules/.cache/verify-disk");

function argumentsFor({ toldFile, traceFile, watched, point, fault, hasBytes = false }: Straced): string[] {
  const injected = point === undefined || fault === undefined ? [] : ["-e", `inject=${point.call}:${textOf(fault)}:when=${whenOf(point, fault)}`];
  return [
    ...["-q", "-y", "-o", traceFile, "-e", `trace=${traced.join(",")}`],
    ...(hasBytes ? ["-xx", "-s", "70000"] : ["-s", "80"]),
    // Stops at these calls only; but no signal can be sent so.
    ...(fault === undefined || fault === "KILL" ? [] : ["-f", "--seccomp-bpf"]),
    ...(watched === undefined ? [] : [...watched, toldFile].flatMap((one) => ["-P", one])),
    ...injected,
  ];
}

function textOf(fault: Fault): string {
  return fault === "KILL" ? "signal=SIGKILL" : `error=${fault.error}`;
}

function whenOf({ nth }: Point, fault: Fault): string {
  return fault === "KILL" || fault.times === 1 ? String(nth) : `${nth}..${nth + fault.times - 1}`;
}

/** A call as strace tells it. */
export interface Call {
  readonly call: Traced;
  readonly text: string;
}

const lineOfCall = /^(\w+)\((.*)$/;

/** In their order, those of the thread that the program began with. */
export function callsIn(traceFile: string): readonly Call[] {
  return readFileSync(traceFile, "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, call, text = ""] = lineOfCall.exec(line) ?? [];
      return call === undefined ? [] : [{ call: call as Traced, text }];
    });
}

export function wasInjected(traceFile: string): boolean {
  return readFileSync(traceFile, "utf8").includes("(INJECTED)");
}
