/** G11: batches, chains and what names them, enqueued inside the app's own transaction. */
import { batch } from "../../core/compose/batch.ts";
import { chain } from "../../core/compose/chain.ts";
import { task, type Errand } from "../../core/task.ts";
import { equal, refused } from "../expect.ts";
import type { Law } from "../law.ts";
import { commitLaw, refusedTransaction } from "./commit.ts";

const next = task<{ n: number }>("next", () => undefined);

export const appTransactionLaws: readonly Law[] = [
  commitLaw("G11", "a batch enqueued in a transaction of the app is there when that has committed, and not before", async (world, app) => {
    const { broker } = await world.worker({ next });
    await broker.open();
    await app.transaction((tx) =>
      broker.within(tx).enqueue(
        batch(
          [1, 2, 3].map((n) => next.with({ n })),
          { whenAllSucceed: next.with({ n: 4 }), id: "month" },
        ),
      ),
    );
    await world.drained();
    equal([world.runsOf("next").length, (await broker.batch("month"))?.state], [4, "closed"], "runs, and the batch");
  }),
  commitLaw("G11", "in a transaction of the app, a call names what an earlier call of it stored", async (world, app) => {
    const { broker } = await world.worker({ next });
    await broker.open();
    await app.transaction(
      (tx) => broker.within(tx).enqueue(batch([next.with({ n: 1 })], { id: "month" })),
      (tx) => broker.within(tx).enqueue(next.with({ n: 2 }, { id: "second", after: "month" })),
      (tx) => broker.within(tx).enqueue(next.with({ n: 3 }, { id: "third", after: "second" })),
    );
    await world.drained();
    equal(
      world.runsOf("next").map(({ input }) => input),
      [{ n: 1 }, { n: 2 }, { n: 3 }],
      "what ran, in order",
    );
    const other = (): unknown =>
      app.transaction(
        (tx) => broker.within(tx).enqueue(next.with({ n: 4 }, { id: "fourth", after: "third" })),
        (tx) => broker.within(tx).enqueue(next.with({ n: 5 }, { id: "fourth" })),
      );
    await refused(other, "id-conflict", "the same id with another payload");
  }),
  commitLaw("G11", "a batch enqueued in a transaction that rolls back was never there", async (world, app) => {
    const { broker } = await world.worker({ next });
    const make = (): Errand => chain(next.with({ n: 1 }), batch([next.with({ n: 2 })], { id: "inner" }));
    await refusedTransaction(() =>
      app.transaction(
        (tx) => broker.within(tx).enqueue(make()),
        () => {
          throw new Error("no");
        },
      ),
    );
    await world.drained();
    equal([world.runs.length, await broker.batch("inner"), (await broker.list()).jobs.length], [0, undefined, 0], "runs, the batch, jobs");
    await app.transaction((tx) => broker.within(tx).enqueue(make()));
    await world.drained();
    equal(world.runs.length, 2, "runs of one that committed");
  }),
  commitLaw("G11", "what does not fit into one transaction, or into no order, rolls it back", async (world, app) => {
    const { broker } = await world.worker({ next });
    const large = batch(Array.from({ length: 500 }, (_, n) => next.with({ n })));
    const circle = batch([next.with({ n: 1 }, { id: "a", after: "b" }), next.with({ n: 2 }, { id: "b", after: "a" })]);
    const rows = [
      { errand: large, code: "enqueue-too-many" },
      { errand: circle, code: "graph-cycle" },
      { errand: next.with({ n: 1 }, { after: "nobody" }), code: "after-unknown" },
    ] as const;
    for (const { errand, code } of rows) {
      await refused(
        () =>
          app.transaction(
            (tx) => app.add(tx, "charged"),
            (tx) => broker.within(tx).enqueue([next.with({ n: 7 }), errand]),
          ),
        code,
        "the transaction",
      );
    }
    await world.drained();
    equal([world.runs.length, await app.count("charged")], [0, 0], "runs, rows");
  }),
];
