/** Progress on its way to the store. */
import type { Engine } from "../engine.ts";
import { ErrandError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { Settler } from "../settler.ts";
import type { Run } from "../worker/run.ts";
import type { Saves } from "./progress.ts";

export class StoreSaves implements Saves {
  readonly #runtime: Runtime;
  readonly #settler: Settler;
  readonly #lost: (run: Run) => void;

  /** `lost` hears of each run that is found to be void. */
  constructor(engine: Engine, runtime: Runtime, lost: (run: Run) => void) {
    this.#runtime = runtime;
    this.#lost = lost;
    this.#settler = new Settler(engine, runtime);
  }

  /** While the store is away it is tried again, for as long as the run goes on. */
  async save(run: Run, checkpoint: string): Promise<void> {
    const { id } = run.claimed;
    const ranMs = Math.max(0, Math.round(this.#runtime.monotonic() - run.startedAt));
    const answer = await this.#settler.settle(run.outcome({ is: "saved", checkpoint }, ranMs), () => !run.isOver && !run.isLost && !run.isAborted);
    if (answer.is === "settled") return;
    this.#lost(run);
    throw new ErrandError(
      "lease-lost",
      `job ${id} was taken over or ended elsewhere, so its progress here is not saved; stop, another run goes on from what it saved last`,
      {
        details: { job: id },
      },
    );
  }
}
