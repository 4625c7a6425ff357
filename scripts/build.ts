/** Builds `dist/` from `src/`: JavaScript and declarations, nothing else. Comments are for readers of the sources, and of declarations: JavaScript goes without, an eighth of the package. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { inRoot } from "./root.ts";

rmSync(inRoot("dist"), { recursive: true, force: true });
try {
  compile("--declaration", "false", "--isolatedDeclarations", "false", "--removeComments");
  compile("--emitDeclarationOnly");
} catch {
  process.exit(1);
}

function compile(...options: readonly string[]): void {
  execFileSync(inRoot("node_modules/.bin/tsc"), ["-p", inRoot("tsconfig.build.json"), ...options], { stdio: "inherit" });
}
