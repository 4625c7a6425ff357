/** Until the last outcome is stored, by workers that are at work. While jobs run, the workers' own counts tell; the store is asked when all have run. */
import type { Producer } from "./working.ts";
import type { Workers } from "./workers.ts";

const lookEveryMs = 5;
const endsWithinMs = 300_000;

/** `before`: jobs that had ended when the workers began. */
export async function allEnded(name: string, workers: Workers, producer: Producer, jobs: number, before = 0): Promise<void> {
  const begin = performance.now();
  for (;;) {
    if (workers.runs >= jobs) {
      const { unended, done } = await producer.counts();
      if (unended === 0 && (done ?? before + jobs) === before + jobs) return;
    }
    if (performance.now() - begin > endsWithinMs) throw new Error(`${name} ran ${workers.runs} of ${jobs} jobs and left some undone`);
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}
