/** Another store on the same server, where jobs are handed in and nobody works: nothing of it may be seen elsewhere, and nothing of elsewhere there. */
import { broker, ErrandError, type Broker } from "../../src/index.ts";
import { machineMs } from "../../src/runtime/machineClock.ts";
import { sleep } from "../../src/verify/sleep.ts";
import type { Place } from "../../src/verify/stores/place.ts";
import { engineAt } from "../../src/verify/stores/reached.ts";
import { plain } from "../../src/verify/workload/definitions.ts";
import type { NeighbourLine } from "./history.ts";

const everyMs = 500;
const pageSize = 1_000;
const openTries = 40;
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export class Neighbour {
  readonly #work: Broker;
  readonly #note: (line: NeighbourLine) => void;
  #named = 0;

  private constructor(work: Broker, note: (line: NeighbourLine) => void) {
    this.#work = work;
    this.#note = note;
  }

  /** The server may be away just now. */
  static async open(place: Place, note: (line: NeighbourLine) => void): Promise<Neighbour> {
    const work = broker({ store: await engineAt(place.reach()), log: quiet }, { plain });
    for (let tries = 1; ; tries++) {
      try {
        await work.open();
        return new Neighbour(work, note);
      } catch (error) {
        if (tries === openTries) throw error;
        await sleep(everyMs);
      }
    }
  }

  /** Hands in until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const n = `beside-${++this.#named}`;
      const asked = machineMs();
      const how = await this.#work.enqueue(plain.with({ n, ms: 1, fails: 0 }, { id: n })).then(
        () => "ok",
        (error: unknown) => (ErrandError.is(error) && error.isDefinite ? "fail" : "info"),
      );
      this.#note({ is: "neighbour-asked", n, t: asked, how });
      await sleep(everyMs, signal).catch(() => undefined);
    }
  }

  async audit(): Promise<void> {
    let after: string | undefined;
    do {
      const page = await this.#work.list({}, { limit: pageSize, ...(after !== undefined && { after }) });
      for (const { id, state, starts } of page.jobs) this.#note({ is: "neighbour-job", n: id, how: state, starts });
      after = page.next;
    } while (after !== undefined);
  }

  close(): Promise<void> {
    return this.#work.close();
  }
}
