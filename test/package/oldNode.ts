/** A Node.js on this machine that is too old for errand, to see what it is told. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { inRoot } from "../../scripts/root.ts";

const oldest = 22;

export function findOldNode(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter).filter((folder) => folder !== "" && !folder.startsWith(inRoot("node_modules")));
  return folders.map((folder) => path.join(folder, "node")).find((node) => existsSync(node) && majorOf(node) < oldest);
}

function majorOf(node: string): number {
  return Number.parseInt(execFileSync(node, ["--version"], { encoding: "utf8" }).slice(1), 10);
}
