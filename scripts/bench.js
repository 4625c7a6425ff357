/** `npm run bench`: installs the peers in `bench/` where they are missing or others, then measures them beside errand. `npm run bench -- scale`, `npm run bench -- guard`: the other ones. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { areDependenciesInstalled, runOnNode, setUp } from "./setUp.js";

const bench = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), "bench");
const [first, ...rest] = process.argv.slice(2);
const others = { scale: "bench/scale.ts", guard: "bench/guard.ts" };
const isOther = Object.hasOwn(others, first ?? "");

setUp();
// The guard measures errand and the bare drivers, which are here.
if (first !== "guard" && !areDependenciesInstalled(bench)) {
  console.error("Installing the peers with npm install in bench/ …");
  const { status } = spawnSync("npm", ["install", "--no-audit", "--no-fund", "--silent"], {
    cwd: bench,
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exit(1);
}
runOnNode(isOther ? others[first] : "bench/main.ts", isOther ? rest : process.argv.slice(2));
