/** Lives of an operation in processes of their own, each in a folder of its own. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fingerprintOfFile } from "./fingerprint.ts";
import { Hand } from "./hand.ts";
import type { How } from "./lifeMain.ts";
import { stepsOf } from "./operations.ts";
import type { Operation } from "./operations.ts";
import { callsIn, strace } from "./strace.ts";
import type { Call, Ended, Straced } from "./strace.ts";
import { toldIn } from "./told.ts";
import type { Told } from "./told.ts";

export class Life {
  readonly folder: string;
  readonly file: string;
  readonly #toldFile: string;
  readonly #traceFile: string;

  constructor(folder: string) {
    mkdirSync(folder);
    this.folder = folder;
    this.file = path.join(folder, "work.db");
    this.#toldFile = path.join(folder, "told");
    this.#traceFile = path.join(folder, "trace");
  }

  async live({ name }: Operation, how: How, traced: Pick<Straced, "point" | "fault" | "hasBytes"> = {}): Promise<Ended> {
    const { file } = this;
    return strace({
      program: ["--disable-warning=ExperimentalWarning", path.join(import.meta.dirname, "lifeMain.ts"), name, file, JSON.stringify(how)],
      toldFile: this.#toldFile,
      traceFile: this.#traceFile,
      watched: [this.folder, file, `${file}-wal`, `${file}-shm`, `${file}-journal`],
      ...traced,
    });
  }

  get told(): readonly Told[] {
    return toldIn(this.#toldFile);
  }

  /** Of the process that lived last. */
  get calls(): readonly Call[] {
    return callsIn(this.#traceFile);
  }

  get traceFile(): string {
    return this.#traceFile;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Where the lives of one operation take place. */
export class Lives implements Disposable {
  readonly folder: string = mkdtempSync(path.join(tmpdir(), "errand-disk-"));
  #lives = 0;

  begin(): Life {
    this.#lives += 1;
    return new Life(path.join(this.folder, String(this.#lives)));
  }

  /** One that nothing happens to. */
  async withoutFaults(operation: Operation, how: How, hasBytes = false): Promise<Life> {
    const life = this.begin();
    const { code, said } = await life.live(operation, how, { hasBytes });
    if (code !== 0) throw new Error(`"${operation.name}" ended with ${code} without any fault: ${said}`);
    return life;
  }

  /** What a file holds before the first step of an operation, then after each: in this process, since it is the same in any. */
  async statesOf(operation: Operation): Promise<readonly string[]> {
    const { file } = this.begin();
    const states = [fingerprintOfFile(`${file}.none`)];
    const hand = new Hand(file);
    for (const [step, act] of stepsOf(operation).entries()) {
      hand.runtime.begin(step);
      await act(hand);
      states.push(fingerprintOfFile(file));
    }
    await hand.close();
    return states;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
