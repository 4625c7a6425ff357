/** What is asked, of whom, with how many jobs. */
import { pgBouncerMissing } from "../test/postgres/pgbouncer.ts";
import { postgresQuestions } from "./postgres/questions.ts";
import { storeOf, type BenchQuestion } from "./question.ts";
import { redisQuestions } from "./redis/questions.ts";
import { sqliteQuestions } from "./sqlite/questions.ts";

export const questions: readonly BenchQuestion[] = [...sqliteQuestions, ...postgresQuestions, ...redisQuestions];

export interface Wanted {
  readonly full: boolean;
  readonly huge: boolean;
  readonly question: string | undefined;
  readonly store: string | undefined;
}

/** With `--full`, on PostgreSQL. */
const fullFactor = 5;

export function questionsFor({ full, huge, question, store }: Wanted): readonly BenchQuestion[] {
  return questions
    .filter(({ name }) => name !== "latency-pooled" || question === name || pgBouncerMissing === undefined)
    .filter(({ isHuge }) => huge || isHuge === undefined)
    .filter(({ name, isLong }) => (question === undefined ? full || isLong === undefined : name === question))
    .filter(({ section }) => store === undefined || storeOf(section) === store)
    .map((one) => (full ? atFull(one) : question === undefined ? withoutSlow(one) : one));
}

function withoutSlow(question: BenchQuestion): BenchQuestion {
  return { ...question, systems: question.systems.filter((system) => !question.slow?.includes(system)) };
}

export function jobsOf({ jobs, systems }: BenchQuestion, system: string): number {
  return jobs[system] ?? jobs[systems[0] ?? ""] ?? 1;
}

/** What takes a process of its own to warm up is measured over more jobs; a backlog stays as it is. */
function atFull(question: BenchQuestion): BenchQuestion {
  if (question.section !== "postgres" || question.unit === "ms" || question.unit === "bytes") return question;
  return { ...question, jobs: Object.fromEntries(Object.entries(question.jobs).map(([system, jobs]) => [system, jobs * fullFactor])) };
}
