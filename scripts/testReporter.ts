/**
 * Node's test events as a report to read: a line per file, every failure in full, every skip with its reason, the counts at the end.
 * What the run needs to know afterwards (which files passed, what was skipped) goes to the file named in ERRAND_TEST_REPORT.
 */
import { appendFileSync } from "node:fs";
import path from "node:path";
import { inspect } from "node:util";
import type { TestEvent } from "node:test/reporters";
import { root } from "./root.ts";

/** Of one failure. */
const linesMax = 100;

/** One line of the report file. */
export interface TestRecord {
  readonly file: string;
  readonly name: string;
  readonly kind: "pass" | "fail" | "skip";
  readonly reason?: string;
}

type TestEnding = Extract<TestEvent, { type: "test:pass" | "test:fail" }>;
interface FileTally {
  passed: number;
  failed: number;
  skipped: number;
}

/** The tests that are still open, outermost first: a claim is read with the suites around it. */
type Trail = string[];

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const tallies = new Map<string, FileTally>();
  const trails = new Map<string, Trail>();
  for await (const event of events) {
    if (event.type === "test:start") openTrail(trails, event.data);
    if (event.type === "test:pass" || event.type === "test:fail") yield* ending(event, tallies, trails);
    if (event.type === "test:stderr" || event.type === "test:stdout") yield event.data.message;
    if (event.type === "test:diagnostic") yield* diagnostic(event.data);
    if (event.type === "test:summary" && event.data.file !== undefined) yield fileLine(event.data.file, event.data.duration_ms, tallies);
  }
}

/** That is run, wherever its tests are written. */
function fileOf({ entryFile, file = "" }: { readonly entryFile?: string; readonly file?: string }): string {
  return entryFile ?? file;
}

function openTrail(trails: Map<string, Trail>, data: { entryFile?: string; file?: string; nesting: number; name: string }): void {
  const [file, { nesting, name }] = [fileOf(data), data];
  const trail = trails.get(file) ?? [];
  trails.set(file, [...trail.slice(0, nesting), name]);
}

function* ending(event: TestEnding, tallies: Map<string, FileTally>, trails: Map<string, Trail>): Generator<string> {
  const { data } = event;
  const file = path.relative(root, fileOf(data));
  const isWholeFile = data.nesting === 0 && data.name === file;
  const name = [...(trails.get(fileOf(data)) ?? []).slice(0, data.nesting), data.name].join(" › ");
  const isSkipped = data.skip !== undefined && data.skip !== false;
  const isSuite = data.details.type === "suite";
  const kind = isSkipped ? "skip" : event.type === "test:pass" ? "pass" : "fail";
  if (!isSuite && !isWholeFile) count(tallies, fileOf(data), kind);
  if (!isSuite) record({ file, name, kind, ...(typeof data.skip === "string" && data.skip !== "" ? { reason: data.skip } : {}) });
  if (isSkipped) yield `  - skipped: ${name}${typeof data.skip === "string" ? ` (${data.skip})` : ""}\n`;
  if (event.type === "test:fail" && !isAboutAnother(event)) yield failure(file, name, event);
}

function count(tallies: Map<string, FileTally>, file: string, kind: TestRecord["kind"]): void {
  const tally = tallies.get(file) ?? { passed: 0, failed: 0, skipped: 0 };
  tallies.set(file, tally);
  if (kind === "pass") tally.passed += 1;
  if (kind === "fail") tally.failed += 1;
  if (kind === "skip") tally.skipped += 1;
}

function record(one: TestRecord): void {
  const reportFile = process.env["ERRAND_TEST_REPORT"];
  if (reportFile !== undefined) appendFileSync(reportFile, `${JSON.stringify(one)}\n`);
}

/** It failed because another test did, one in it or the one around it, and that one tells why. */
function isAboutAnother(event: Extract<TestEvent, { type: "test:fail" }>): boolean {
  const { failureType = "" } = event.data.details.error as { failureType?: string };
  return ["subtestsFailed", "cancelledByParent"].includes(failureType);
}

function failure(file: string, name: string, event: Extract<TestEvent, { type: "test:fail" }>): string {
  const { error } = event.data.details;
  const where = event.data.line === undefined ? file : `${file}:${event.data.line}`;
  const text = cut(inspect(error.cause ?? error, { depth: 6 }));
  return `\nFAILED ${where}\n  ${name}\n${indent(withoutNodeFrames(text))}\n\n`;
}

function cut(text: string): string {
  const lines = text.split("\n");
  return lines.length <= linesMax ? text : [...lines.slice(0, linesMax), `… ${lines.length - linesMax} lines more`].join("\n");
}

function withoutNodeFrames(text: string): string {
  return text.replaceAll(/^\s+at .*\bnode:internal\/.*\n?/gm, "");
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "    ");
}

function fileLine(file: string, durationMs: number, tallies: Map<string, FileTally>): string {
  const { passed, failed, skipped } = tallies.get(file) ?? { passed: 0, failed: 0, skipped: 0 };
  const extra = (failed > 0 ? `, ${failed} FAILED` : "") + (skipped > 0 ? `, ${skipped} skipped` : "");
  return `${failed > 0 ? "✖" : "✔"} ${path.relative(root, file)}: ${passed} passed${extra} (${(durationMs / 1_000).toFixed(1)} s)\n`;
}

/** The counts at the end, and what a test or Node itself has to say. */
function* diagnostic({ message, nesting }: { message: string; nesting: number }): Generator<string> {
  if (!isCount(message)) yield `  ${message}\n`;
  else if (nesting === 0) yield `# ${message}\n`;
}

function isCount(message: string): boolean {
  return /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(message);
}
