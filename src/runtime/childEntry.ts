/** The child process that runs one job alone: it takes one order, sends one answer and ends. */
import type { Runtime } from "../core/runtime.ts";
import { realRuntime } from "./real.ts";

export interface ChildOrder {
  readonly module: string;
  readonly argument: string;
}
/** What the child sends. `failed`: the order could not be carried out; the job had no part in it. */
export type ChildReport =
  | { readonly message: unknown }
  | { readonly failed: { readonly message: string; readonly stack: string | undefined } }
  | { readonly number: number; readonly question: unknown };
/** What its parent answers to a question. */
export type ParentAnswer = { readonly number: number } & ({ readonly answer: unknown } | { readonly refused: string });

type Ask = (question: unknown) => Promise<unknown>;

const asked: PromiseWithResolvers<unknown>[] = [];

const ask: Ask = (question) => {
  const asking = Promise.withResolvers<unknown>();
  const number = asked.push(asking) - 1;
  process.send?.({ number, question } satisfies ChildReport);
  return asking.promise;
};

function heard(answered: ParentAnswer): void {
  const asking = asked[answered.number];
  if ("answer" in answered) asking?.resolve(answered.answer);
  else asking?.reject(new Error(answered.refused));
}

async function carryOut(order: ChildOrder): Promise<void> {
  try {
    const loaded = (await import(order.module)) as { readonly default?: (argument: string, runtime: Runtime, ask: Ask) => unknown };
    if (typeof loaded.default !== "function") throw new TypeError(`${order.module} has no function as its default export`);
    answer({ message: await loaded.default(order.argument, realRuntime(), ask) });
  } catch (error) {
    answer({ failed: error instanceof Error ? { message: error.message, stack: error.stack } : { message: String(error), stack: undefined } });
  }
}

/** Throws where the answer is no JSON. */
function answer(report: ChildReport): void {
  process.send?.(report, () => process.exit());
}

process.once("message", (order: ChildOrder) => {
  process.on("message", heard);
  void carryOut(order);
});
// Without its parent nobody hears the answer, and the job is soon run elsewhere.
process.once("disconnect", () => process.exit(1));
// Ctrl-C and service managers signal the whole group. The parent decides what becomes of the job: a child that died of it would look like poison.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
