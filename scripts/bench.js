/** `npm run bench`: installs the peers in `bench/` where they are missing or others, then measures them beside errand. `npm run bench -- scale` for the other one. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { areDependenciesInstalled, runOnNode, setUp } from "./setUp.js";

const bench = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), "bench");
const [first, ...rest] = process.argv.slice(2);
const isScale = first === "scale";

setUp();
if (!areDependenciesInstalled(bench)) {
  console.error("Installing the peers with npm install in bench/ …");
  const { status } = spawnSync("npm", ["install", "--no-audit", "--no-fund", "--silent"], { cwd: bench, stdio: "inherit", shell: process.platform === "win32" });
  if (status !== 0) process.exit(1);
}
runOnNode(isScale ? "bench/scale.ts" : "bench/main.ts", isScale ? rest : process.argv.slice(2));
