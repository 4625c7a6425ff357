/** Started by trial.ts with a mutant in place: the files of tests that it was given, in one process, which starts once. */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { inRoot } from "../../scripts/root.ts";

const wanted = JSON.parse(readFileSync(0, "utf8")) as readonly string[];
for (const file of wanted) await import(pathToFileURL(inRoot(file)).href);
