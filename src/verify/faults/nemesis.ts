/** Makes the faults of a plan, and writes down what it did. */
import { machineMs } from "../../runtime/machineClock.ts";
import { late, sleep } from "../sleep.ts";
import type { FaultKind, Fault } from "./fault.ts";
import type { Fleet } from "./fleet.ts";
import type { Member } from "./member.ts";
import type { PlannedFault } from "./plan.ts";
import { holdWriteLock } from "./writeLock.ts";

export interface NemesisOptions {
  readonly fleet: Fleet;
  /** The store, if it is a file. */
  readonly file: string | undefined;
  readonly made: (fault: Fault) => void;
  readonly signal: AbortSignal;
}

/** One that was told to end may take its time. */
const termWithinMs = 8_000;
const lookEveryMs = 50;

export class Nemesis {
  readonly #options: NemesisOptions;
  readonly #under: Promise<void>[] = [];
  #isBusy = false;

  constructor(options: NemesisOptions) {
    this.#options = options;
  }

  /** Resolves when all have been made and are over, and who was ended by them has been replaced. Rejects where one could not be. */
  async carryOut(plan: readonly PlannedFault[], lastsMs: number): Promise<void> {
    const begun = machineMs();
    const { signal } = this.#options;
    for (const planned of plan) {
      await sleep(Math.max(0, begun + planned.atMs - machineMs()), signal);
      const doing = this.#make(planned, begun + lastsMs);
      doing.catch(() => undefined); // heard below
      this.#under.push(doing);
    }
    await sleep(Math.max(0, begun + lastsMs - machineMs()), signal);
    await Promise.all(this.#under);
  }

  /** Where all are in trouble it waits for one that is well; until `until`, if it need not be made. */
  async #make(planned: PlannedFault, until: number): Promise<void> {
    if (planned.kind === "busy") return this.#busy(planned.lastsMs);
    let member = this.#victim(planned);
    for (; member === undefined && (planned.isSure || machineMs() < until); member = this.#victim(planned)) await sleep(lookEveryMs, this.#options.signal);
    if (member === undefined) return;
    member.isTroubled = true;
    try {
      await this.#trouble(member, planned);
    } finally {
      member.isTroubled = false;
    }
  }

  /** The one that was meant, or the next of its kind that is well; one worker is always left alone. */
  #victim({ place, kind }: PlannedFault): Member | undefined {
    const { members } = this.#options.fleet;
    const job = members[place]?.job;
    const peers = members.filter((member) => member.job === job);
    const well = peers.filter((member) => !member.isTroubled && !member.isOver);
    const at = peers.indexOf(members[place] as Member);
    if (job === "worker" && well.length < 2 && kind !== "delay" && peers.length > 1) return undefined;
    return [...peers.slice(at), ...peers.slice(0, at)].find((member) => well.includes(member));
  }

  async #trouble(member: Member, { kind, lastsMs, delayMs }: PlannedFault): Promise<void> {
    switch (kind) {
      case "kill":
        return this.#ended(member, "kill", "SIGKILL");
      case "term":
        return this.#ended(member, "term", "SIGTERM");
      case "stop":
        return this.#lasting(
          member,
          kind,
          lastsMs,
          () => member.signal("SIGSTOP"),
          () => member.signal("SIGCONT"),
        );
      case "cut":
      case "freeze":
      case "delay":
      case "half-open":
        return this.#lasting(
          member,
          kind,
          lastsMs,
          () => member.way(kind, delayMs),
          () => member.way("open"),
        );
      case "busy":
    }
  }

  async #lasting(member: Member, kind: FaultKind, lastsMs: number, begin: () => void, end: () => void): Promise<void> {
    const from = machineMs();
    begin();
    await sleep(lastsMs);
    end();
    this.#options.made({ kind, on: member.name, from, to: machineMs() });
  }

  async #ended(member: Member, kind: "kill" | "term", signal: NodeJS.Signals): Promise<void> {
    const { fleet, made } = this.#options;
    const place = fleet.members.indexOf(member);
    const from = machineMs();
    member.signal(signal);
    void late(termWithinMs).then(() => member.signal("SIGKILL"));
    await member.ended;
    made({ kind, on: member.name, from, to: machineMs() });
    await fleet.replace(place);
  }

  /** One at a time. */
  async #busy(lastsMs: number): Promise<void> {
    const { file, made } = this.#options;
    if (file === undefined || this.#isBusy) return;
    this.#isBusy = true;
    try {
      const from = machineMs();
      const release = await holdWriteLock(file);
      await sleep(lastsMs);
      release();
      made({ kind: "busy", on: "*", from, to: machineMs() });
    } finally {
      this.#isBusy = false;
    }
  }
}
