/** Resources whose capacity follows the hours: at each change one of the workers writes the new number, whether it has the code or not. */
import { at } from "../at.ts";
import type { Note, NoteWrite } from "../engine.ts";
import type { Instant, Ms, Timer } from "../runtime.ts";
import type { WorkerParts } from "../worker/settings.ts";
import { keptResource, resourceValue } from "./register.ts";
import { capacityAt, untilCalendarMs } from "./resource.ts";

export class Calendars {
  readonly #parts: WorkerParts;
  readonly #turned: () => void;
  #timer: Timer | undefined;
  #nextMs: Ms = Number.POSITIVE_INFINITY;

  /** `turned`: some hours have begun or ended, so the notes are to be read and given to {@link apply}. */
  constructor(parts: WorkerParts, turned: () => void) {
    this.#parts = parts;
    this.#turned = turned;
  }

  async apply(notes: Iterable<Note>, now: Instant): Promise<void> {
    const writes: NoteWrite[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const note of notes) {
      const { defined, isEdited, capacity } = keptResource(note);
      if (defined === undefined || isEdited) continue;
      next = Math.min(next, untilCalendarMs(defined, now) ?? Number.POSITIVE_INFINITY);
      if (capacityAt(defined, now) !== capacity) writes.push({ key: note.key, value: resourceValue(undefined, defined, now), ifVersion: note.version });
    }
    this.#lookIn(next);
    const { engine, runtime } = this.#parts;
    // Each for itself, and where another was first it has done the same.
    if (writes.length > 0)
      await engine.enqueue(
        writes.map((write) => ({ works: [], notes: [write] })),
        at(runtime),
      );
  }

  /** Until one of them may change, as of the last {@link apply}. */
  get untilChangeMs(): Ms {
    return this.#nextMs;
  }

  end(): void {
    this.#timer?.cancel();
  }

  #lookIn(ms: Ms): void {
    this.#timer?.cancel();
    this.#nextMs = ms;
    if (ms < Number.POSITIVE_INFINITY) this.#timer = this.#parts.runtime.after(ms, this.#turned, { background: true });
  }
}
