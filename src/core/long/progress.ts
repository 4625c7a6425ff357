/**
 * How far a job has come, across its runs: what its task saved, the results of its steps, the places of its loops. One small document, written under the
 * run's own claim and fence; a write that is under way takes what comes meanwhile along with the next.
 */
import { checkpointBytesMax } from "../defaults.ts";
import { ErrandError } from "../errors.ts";
import type { Run } from "../worker/run.ts";
import { Texts } from "./texts.ts";

/** Where progress is kept: the store, or the parent of a child process. Rejects with `lease-lost` where the run is void. */
export interface Saves {
  save(run: Run, checkpoint: string): Promise<void>;
}

export type Part = "own" | "steps" | "loops";
type Document = Readonly<Record<Part, Readonly<Record<string, unknown>>>>;

export class Progress {
  readonly #run: Run;
  readonly #saves: Saves;
  readonly #parts: Readonly<Record<Part, Texts>>;
  /** Names of steps and loops that this run has begun. */
  readonly #begun: Set<string> = new Set();
  /** Grows with each change; `#written` is what the store has. */
  #version = 0;
  #written = 0;
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** `text`: what an earlier run left. */
  constructor(run: Run, saves: Saves, text: string | undefined) {
    this.#run = run;
    this.#saves = saves;
    const left = text === undefined ? {} : (JSON.parse(text) as Partial<Document>);
    this.#parts = { own: new Texts(left.own ?? {}), steps: new Texts(left.steps ?? {}), loops: new Texts(left.loops ?? {}) };
  }

  /** What the store lacks of it, whole; undefined: nothing. */
  get unsaved(): string | undefined {
    return this.#version === this.#written ? undefined : this.#text();
  }

  /** Its JSON. */
  of(part: Part, name: string): string | undefined {
    return this.#parts[part].get(name);
  }

  /** Throws `checkpoint-too-large`, and then nothing is changed. */
  keep(part: Part, name: string, text: string): void {
    const texts = this.#parts[part];
    const before = texts.get(name);
    texts.set(name, text);
    if (this.#bytes > checkpointBytesMax) {
      const bytes = this.#bytes;
      texts.set(name, before);
      throw this.#tooLarge(bytes);
    }
    this.#version++;
  }

  /** Throws `name-taken`: two of one name would share a result or a place. */
  begin(part: "steps" | "loops", name: string): void {
    const what = part === "steps" ? "step" : "loop";
    if (this.#begun.has(`${part} ${name}`)) {
      throw new ErrandError(
        "name-taken",
        `job ${this.#run.claimed.id} has begun a ${what} "${name}" already in this run; give each ${what} of a run a name of its own`,
        {
          details: { job: this.#run.claimed.id, name },
        },
      );
    }
    this.#begun.add(`${part} ${name}`);
  }

  /** Resolves when all that was kept until now is stored. Rejects with `lease-lost`, and with the store's error once the run has ended. */
  write(): Promise<void> {
    if (this.#writing === undefined) {
      this.#writing = this.#write().finally(() => (this.#writing = undefined));
      return this.#writing;
    }
    const again = (): Promise<void> => {
      this.#next = undefined;
      return this.write();
    };
    this.#next ??= this.#writing.then(again, again);
    return this.#next;
  }

  async #write(): Promise<void> {
    const version = this.#version;
    if (version === this.#written) return;
    this.#refuseEnded();
    await this.#saves.save(this.#run, this.#text());
    this.#written = version;
  }

  get #bytes(): number {
    return this.#parts.own.bytes + this.#parts.steps.bytes + this.#parts.loops.bytes;
  }

  #text(): string {
    const parts = (Object.keys(this.#parts) as Part[]).filter((part) => !this.#parts[part].isEmpty);
    return `{${parts.map((part) => `"${part}":${this.#parts[part].text}`).join(",")}}`;
  }

  #tooLarge(bytes: number): ErrandError {
    const { id, task } = this.#run.claimed;
    return new ErrandError(
      "checkpoint-too-large",
      `the progress of job ${id} (${task}) would have ${bytes} bytes, of ${checkpointBytesMax} allowed; save a pointer, and keep the results of steps small`,
      { details: { job: id, bytes, most: checkpointBytesMax } },
    );
  }

  #refuseEnded(): void {
    const { claimed, isOver, isLost } = this.#run;
    if (!isOver && !isLost) return;
    throw new ErrandError(
      "lease-lost",
      `job ${claimed.id} has ended here or was taken over, so its progress is not saved; await everything that its run starts`,
      {
        details: { job: claimed.id },
      },
    );
  }
}
