/** Instants and numbers as explanations tell them. */
import { inWords } from "../duration.ts";
import type { Instant } from "../runtime.ts";

/** ", since 5 min" */
export function sinceWords(since: Instant, now: Instant): string {
  return `, since ${agoWords(since, now)}`;
}

/** "5 min", never below nothing. */
export function agoWords(since: Instant, now: Instant): string {
  return inWords(Math.max(0, now - since));
}

/** "in 5 min, at 2026-11-21T15:00:00.000Z" */
export function inWordsAt(at: Instant, now: Instant): string {
  return `in ${inWords(Math.max(0, at - now))}, at ${new Date(at).toISOString()}`;
}

/** "1 job", "1,204 jobs" */
export function counted(count: number, one: string, many: string = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}
