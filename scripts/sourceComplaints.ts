/** Reads one file of `src/` and says which of the source rules it breaks. */
import path from "node:path";
import { parseSync, Visitor, type StaticImport } from "oxc-parser";
import * as rules from "./sourceRules.ts";

export interface Complaint {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** `file` is relative to the root, with forward slashes. */
export function complaintsOf(file: string, text: string): readonly Complaint[] {
  const parsed = parseSync(file, text);
  if (parsed.errors.length > 0) return parsed.errors.map(({ message }) => ({ file, line: 1, message }));
  const complaints: Complaint[] = [];
  const complain = (offset: number, message: string): void => void complaints.push({ file, line: text.slice(0, offset).split("\n").length, message });
  for (const one of parsed.module.staticImports) checkImport(file, one.moduleRequest.value, one, complain);
  for (const one of parsed.module.staticExports.flatMap(({ entries }) => entries)) {
    if (one.moduleRequest !== null) checkDirection(file, one.moduleRequest.value, one.start, complain);
  }
  if (folderOf(file) !== "runtime") checkGlobals(parsed.program, complain);
  return complaints;
}

type Complain = (offset: number, message: string) => void;

function checkImport(file: string, from: string, one: StaticImport, complain: Complain): void {
  if (from.startsWith(".")) {
    checkDirection(file, from, one.start, complain);
    checkCoreOfEngine(file, from, one, complain);
    return;
  }
  const folder = folderOf(file);
  if (folder === "runtime" || isTypeOnly(one)) return;
  if (rules.builtinsOfRuntime.includes(from)) complain(one.start, `${from} is for src/runtime/ only: ask the Runtime`);
  if (folder === "core" && ![...rules.builtinsOfCore, ...rules.packagesOfCore].includes(from))
    complain(one.start, `core only computes, and has no dependencies for the rest: not ${from}`);
  if (from === "node:crypto") checkCrypto(one, complain);
}

function checkCrypto(one: StaticImport, complain: Complain): void {
  for (const { importName, start } of one.entries.map((entry) => ({ importName: entry.importName, start: entry.localName.start }))) {
    if (importName.kind !== "Name" || !rules.cryptoWithoutChance.includes(importName.name ?? ""))
      complain(start, "chance and ids come through the Runtime: from node:crypto take hashes by name, nothing else");
  }
}

function checkDirection(file: string, from: string, offset: number, complain: Complain): void {
  if (!from.startsWith(".")) return;
  const [folder, target] = [folderOf(file), folderOf(path.posix.join(path.posix.dirname(file), from))];
  const allowed = rules.mayImport[folder];
  if (allowed === undefined) return complain(offset, `src/${folder}/ has no entry in scripts/sourceRules.ts`);
  if (!allowed.includes(target)) complain(offset, `src/${folder}/ must not import from src/${target}/`);
}

function checkCoreOfEngine(file: string, from: string, one: StaticImport, complain: Complain): void {
  const target = path.posix.join(path.posix.dirname(file), from);
  if (!rules.engineFolders.includes(folderOf(file)) || folderOf(target) !== "core" || isTypeOnly(one)) return;
  const name = path.posix.relative("src/core", target).replace(/\.ts$/, "");
  if (!rules.coreForEngines.includes(name)) complain(one.start, `an engine takes only types from core/${name}.ts`);
}

function isTypeOnly(one: StaticImport): boolean {
  return one.entries.length > 0 && one.entries.every(({ isType }) => isType);
}

function checkGlobals(program: Parameters<Visitor["visit"]>[0], complain: Complain): void {
  new Visitor({
    NewExpression(node) {
      if (node.callee.type === "Identifier" && node.callee.name === "Date" && node.arguments.length === 0)
        complain(node.start, "new Date() reads the clock: ask the Runtime");
    },
    CallExpression(node) {
      if (node.callee.type === "Identifier" && node.callee.name === "Date") complain(node.start, "Date() reads the clock: ask the Runtime");
    },
    MemberExpression(node) {
      const isGlobal = node.object.type === "Identifier" && ["globalThis", "global"].includes(node.object.name);
      if (!isGlobal || node.property.type !== "Identifier") return;
      if (rules.globalsOfRuntime.includes(node.property.name))
        complain(node.start, `${node.property.name} belongs to src/runtime/, by whatever name it is reached`);
    },
  }).visit(program);
}

/** The folder of `src/` that a path is in; `.` for the top. */
function folderOf(file: string): string {
  const [, folder = ".", ...rest] = file.split("/");
  return rest.length === 0 ? "." : folder;
}
