/** Runs a batch, so many at once. */
import type { Run } from "../working.ts";

export async function runAll(ids: readonly number[], hands: number, run: Run): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: hands }, async () => {
      for (let id = ids[next++]; id !== undefined; id = ids[next++]) await run(id);
    }),
  );
}
