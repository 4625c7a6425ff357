/** Progress of a run in a child process, which never reaches the store: its parent, which holds the lease, saves it. */
import { ErrandError } from "../errors.ts";
import type { Run } from "../worker/run.ts";
import type { Saves } from "./progress.ts";

/** What the child asks of its parent. */
export interface SaveQuestion {
  readonly is: "save";
  readonly checkpoint: string;
}
/** False: the run is void. */
export type SaveAnswer = boolean;

export class ParentSaves implements Saves {
  readonly #ask: (question: SaveQuestion) => Promise<unknown>;

  constructor(ask: (question: SaveQuestion) => Promise<unknown>) {
    this.#ask = ask;
  }

  async save(run: Run, checkpoint: string): Promise<void> {
    if ((await this.#ask({ is: "save", checkpoint })) === true) return;
    const { id } = run.claimed;
    throw new ErrandError("lease-lost", `job ${id} was taken over or ended elsewhere, so its progress here is not saved; stop`, { details: { job: id } });
  }
}

/** What the parent answers. Rejects where the store's error is all it got. */
export async function answerSave(question: unknown, run: Run, saves: Saves): Promise<SaveAnswer> {
  const { checkpoint } = question as SaveQuestion;
  try {
    await saves.save(run, checkpoint);
  } catch (error) {
    if (ErrandError.is(error, "lease-lost")) return false;
    throw error;
  }
  run.savedInChild = checkpoint;
  return true;
}
