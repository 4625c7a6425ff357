/** Builds `dist/` from `src/`: JavaScript and declarations, nothing else. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { inRoot } from "./root.ts";

rmSync(inRoot("dist"), { recursive: true, force: true });
try {
  execFileSync(inRoot("node_modules/.bin/tsc"), ["-p", inRoot("tsconfig.build.json")], { stdio: "inherit" });
} catch {
  process.exit(1);
}
