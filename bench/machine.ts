/** How busy the machine was with something else while a process was measured. */
import { cpus } from "node:os";

interface Sample {
  readonly busyMs: number;
  readonly totalMs: number;
}

/** More than this share of one core on other things spoils a round. */
const foreignMax = 0.25;
/** A database server commits a few times a second on its own account. */
const foreignCommitsMax = 20;

export function sampleMachine(): Sample {
  const times = cpus().map((cpu) => cpu.times);
  const total = times.reduce((sum, time) => sum + time.user + time.nice + time.sys + time.idle + time.irq, 0);
  return { busyMs: total - times.reduce((sum, time) => sum + time.idle, 0), totalMs: total };
}

/**
 * What the measured part reported of itself, of its worker processes and of the server is its own; its start and its tidying up are allowed one second.
 * On a server, others' commits also tell: their work counts as the server's.
 */
export function isBusy(before: Sample, after: Sample, figures: Readonly<Record<string, number>>): boolean {
  const elapsedMs = (after.totalMs - before.totalMs) / cpus().length;
  const foreignMs = after.busyMs - before.busyMs - ownSeconds(figures) * 1_000 - 1_000;
  return foreignMs > elapsedMs * foreignMax || (figures["foreignCommitsPerSecond"] ?? 0) > foreignCommitsMax;
}

function ownSeconds(figures: Readonly<Record<string, number>>): number {
  return ["cpuSeconds", "workersSeconds", "serverSeconds"].reduce((sum, name) => sum + (figures[name] || 0), 0);
}
