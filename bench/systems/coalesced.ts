/** One call is under way, and all who come meanwhile share the next one; each waits until its own is stored. */
export function coalesced(store: (ids: readonly number[]) => Promise<unknown>): (id: number) => Promise<void> {
  let waiting: { readonly id: number; readonly done: () => void; readonly failed: (error: unknown) => void }[] = [];
  let isUnderWay = false;
  const storeAll = async (): Promise<void> => {
    isUnderWay = true;
    while (waiting.length > 0) {
      const callers = waiting;
      waiting = [];
      try {
        await store(callers.map(({ id }) => id));
        for (const { done } of callers) done();
      } catch (error) {
        for (const { failed } of callers) failed(error);
      }
    }
    isUnderWay = false;
  };
  return (id) =>
    new Promise((done, failed) => {
      waiting.push({ id, done, failed });
      if (!isUnderWay) void storeAll();
    });
}
