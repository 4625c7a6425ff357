/** Runs the compiler on one file of this folder, with the repository's own settings; answers what it prints. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import path from "node:path";

const folder = import.meta.dirname;

export async function compile(file: "mistakes.ts" | "inference.ts"): Promise<string> {
  // In this folder, where the packages are found; hidden, so that no other compilation takes it up.
  const project = await mkdtemp(path.join(folder, ".compiled-"));
  const settings = {
    extends: "../../../tsconfig.json",
    compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
    include: [],
    exclude: [],
    files: [`../${file}`],
  };
  try {
    await writeFile(path.join(project, "tsconfig.json"), JSON.stringify(settings));
    return await printed(path.join(folder, "../../node_modules/.bin/tsc"), ["-p", project, "--pretty", "false"]);
  } finally {
    await rm(project, { recursive: true });
  }
}

/** With errors it ends with code 1 or 2: what it printed tells more. */
function printed(tsc: string, flags: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(tsc, flags, { cwd: folder }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== "number") reject(error);
      else resolve(stdout + stderr);
    });
  });
}
