/** Holds `src/` to the source rules. Part of `npm run lint`. */
import { globSync, readFileSync } from "node:fs";
import { inRoot, root } from "./root.ts";
import { complaintsOf } from "./sourceComplaints.ts";

const files = globSync("src/**/*.ts", { cwd: root }).sort();
const complaints = files.flatMap((file) => complaintsOf(file.replaceAll("\\", "/"), readFileSync(inRoot(file), "utf8")));
for (const { file, line, message } of complaints) console.error(`${file}:${line}: ${message}`);
console.log(complaints.length === 0 ? `The source rules hold in ${files.length} files.` : `${complaints.length} breaches of the source rules.`);
process.exitCode = complaints.length === 0 ? 0 : 1;
