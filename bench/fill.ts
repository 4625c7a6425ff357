/** Many jobs, in calls of so many, a few of them on the way at once. */
export async function fill(jobs: number, batch: number, callsAtOnce: number, enqueue: (ids: readonly number[]) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: callsAtOnce }, async () => {
      while (next < jobs) {
        const from = next;
        next = Math.min(jobs, from + batch);
        await enqueue(Array.from({ length: next - from }, (_, index) => from + index));
      }
    }),
  );
}
