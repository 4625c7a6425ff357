/** How busy the machine was with something else while a process was measured. */
import { cpus } from "node:os";

interface Sample {
  readonly busyMs: number;
  readonly totalMs: number;
}

/** More than this share of one core on other things spoils a round. */
const foreignMax = 0.25;

export function sampleMachine(): Sample {
  const times = cpus().map((cpu) => cpu.times);
  const total = times.reduce((sum, time) => sum + time.user + time.nice + time.sys + time.idle + time.irq, 0);
  return { busyMs: total - times.reduce((sum, time) => sum + time.idle, 0), totalMs: total };
}

/** `ownSeconds`: CPU that the measured part reported; its start and its tidying up are allowed one second. */
export function isBusy(before: Sample, after: Sample, ownSeconds: number): boolean {
  const elapsedMs = (after.totalMs - before.totalMs) / cpus().length;
  const foreignMs = after.busyMs - before.busyMs - ownSeconds * 1_000 - 1_000;
  return foreignMs > elapsedMs * foreignMax;
}
