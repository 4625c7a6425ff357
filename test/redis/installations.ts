/** Redis and Valkey servers whose binaries are on this machine. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";

export interface Installation {
  /** "redis" or "valkey". */
  readonly name: string;
  /** 7.0 is [7, 0]. */
  readonly version: readonly [number, number];
  readonly command: string;
}

const usualFolders = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/opt/homebrew/opt/redis/bin", "/opt/homebrew/opt/valkey/bin"];

/** Redis before Valkey; undefined if there is none. */
export function installation(): Installation | undefined {
  return installations()[0];
}

export function installations(): readonly Installation[] {
  const folders = [...new Set([...(process.env["PATH"] ?? "").split(path.delimiter), ...usualFolders])];
  return ["redis", "valkey"].flatMap((name) => {
    const command = folders.map((folder) => path.join(folder, `${name}-server`)).find((file) => existsSync(file));
    return command === undefined ? [] : versioned(name, command);
  });
}

function versioned(name: string, command: string): readonly Installation[] {
  try {
    const [, major, minor] = /v=(\d+)\.(\d+)/.exec(execFileSync(command, ["--version"], { encoding: "utf8" })) ?? [];
    return major === undefined ? [] : [{ name, version: [Number(major), Number(minor)], command }];
  } catch {
    return [];
  }
}
