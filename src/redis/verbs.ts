/** The verbs as scripts: one call, one round trip each; and what they answer, as the port says it. */
import type * as port from "../core/engine.ts";
import type { ErrandError } from "../core/errors.ts";
import { shapeRefusal } from "../core/refusals.ts";
import { errorOf, isRefusal } from "../core/refused.ts";
import type { Refusal } from "../core/refused.ts";
import type { Ms } from "../core/runtime.ts";
import { beatScript } from "./beat.ts";
import { changeJobs, changeScript } from "./change.ts";
import type { ChangeRequest, ToldChange } from "./change.ts";
import { claimScript } from "./claim.ts";
import { claimedOf } from "./claimed.ts";
import type { HomeClaimed, StoredClaimed } from "./claimed.ts";
import type { Connection } from "./client.ts";
import { countScript } from "./count.ts";
import { enqueueScript } from "./enqueue.ts";
import { findPages, findScript } from "./find.ts";
import type { Asked, Told } from "./find.ts";
import type { Main, Script } from "./fragment.ts";
import { lockScript, unlockScript } from "./lock.ts";
import { scriptOf } from "./modules.ts";
import { isPlainClaim } from "./plainClaim.ts";
import { partsOf } from "./parts.ts";
import { readNoteScript } from "./note.ts";
import { multiScript } from "./multi.ts";
import type { Multi } from "./multi.ts";
import { moveScript } from "./outbox.ts";
import type { Move, Moved } from "./outbox.ts";
import { settledOf, tell } from "./outcomes.ts";
import type { Seqs, StoredSettled } from "./outcomes.ts";
import { settleScript } from "./settle.ts";
import { Subscribers } from "./subscribers.ts";
import type { ToldSubscribers } from "./subscribers.ts";
import { enqueuePlainScript, plainRequest } from "./plain.ts";
import { enqueueSlimScript, isSlimAtom, slimRequest, statesOf } from "./slim.ts";
import { parted } from "./gathered.ts";
import type { Parted, Sending } from "./gathered.ts";
import { tidyScript } from "./tidy.ts";

/** A store keeps as many, and forgets those that nothing is left of. */
const templatesMax = 1_000;

type Answer = (port.Enqueued[] | ErrandError)[];
type StoredEnqueued = Omit<port.Enqueued, "leased"> & { readonly leased?: { readonly fence: string; readonly now: number } };

/** Wakes those who wait for work. */
export interface Teller {
  /** The name under which the scripts tell others. */
  readonly self: string;
  /** Work was sent to the store. */
  sent(): void;
  /** A script told of work that became ready, or held that back since others were told just before. */
  told(isHeldBack: boolean, isAwake: boolean): void;
  /** A script wrote mail for these homes (spread/). The verb's answer waits for what is answered. */
  mailed?(homes: readonly number[], at: port.At<unknown>): Promise<void>;
}

export class Verbs {
  readonly #connection: Connection;
  readonly #key: string;
  readonly #teller: Teller;
  /** A script that was run here once is most likely known to the server: its call is done before any that is sent after it. */
  readonly #known: Set<Main> = new Set();
  readonly #seqs: Seqs = new Map();
  readonly #templates: Set<string> = new Set();
  readonly #subscribers = new Subscribers();

  constructor(connection: Connection, key: string, teller: Teller) {
    this.#connection = connection;
    this.#key = key;
    this.#teller = teller;
  }

  async enqueue(atoms: readonly port.Atom[], at: port.At<unknown>, sending?: Sending): Promise<Answer> {
    const answers: Answer = [];
    for (const part of partsOf(atoms, isSlimAtom)) {
      const slim = part.isSlim ? await this.#enqueueSlim(part.atoms, at, sending) : undefined;
      answers.push(...(slim ?? (await this.#enqueueAll(part.atoms, at))));
    }
    return answers;
  }

  async claim({ settling, ...wanted }: port.Claim, at: port.At): Promise<HomeClaimed> {
    const asked = { ...wanted, settling: tell(settling, this.#seqs) };
    const isPlain = isPlainClaim(wanted, asked.settling);
    const [text, , texts] = (await this.#run(claimScript, "write", [JSON.stringify(asked), isPlain ? "plain" : ""], at)) as [string, number, string[]];
    return claimedOf(JSON.parse(text) as StoredClaimed, texts, settling, this.#seqs);
  }

  async settle(outcomes: readonly port.Outcome[], at: port.At<unknown>): Promise<port.Settled[]> {
    return settledOf(outcomes, listOf(await this.#write<StoredSettled[]>(settleScript, tell(outcomes, this.#seqs), at)), this.#seqs);
  }

  async beat(process: string, leaseMs: Ms, at: port.At): Promise<port.Heard> {
    const heard = await this.#read<port.Heard>(beatScript, { process, leaseMs }, at);
    return { ...heard, cancelled: listOf(heard.cancelled) };
  }

  tidy(pass: port.Tidy, at: port.At): Promise<port.Tidied> {
    return this.#write(tidyScript, pass, at);
  }

  change(which: port.Selection, asked: port.Change, limit: number, at: port.At<unknown>): Promise<port.Changed> {
    return changeJobs((request) => this.changeSome(request, at), which, asked, limit);
  }

  /** What one script changes. */
  changeSome(request: ChangeRequest, at: port.At<unknown>): Promise<ToldChange> {
    return this.#write(changeScript, request, at);
  }

  find<Q extends port.Query>(query: Q, at: port.At): Promise<port.Page<Q>> {
    return findPages((asked) => this.read(asked, at), query);
  }

  /** What one script finds. */
  read(asked: Asked, at: port.At): Promise<Told> {
    return this.#read(findScript, asked, at);
  }

  async count(at: port.At): Promise<port.CountRow[]> {
    return listOf(await this.#read<port.CountRow[]>(countScript, {}, at));
  }

  async lock(request: port.LockRequest, at: port.At): Promise<port.Grant | port.Waiting> {
    const answer = await this.#write<(Omit<port.Grant, "fence"> & { readonly fence: string }) | port.Waiting | Refusal>(lockScript, request, at);
    if (isRefusal(answer)) throw errorOf(answer);
    return answer.is === "granted" ? { ...answer, fence: Number(answer.fence) } : answer;
  }

  unlock({ name, ticket }: { readonly name: string; readonly ticket: string }, at: port.At): Promise<boolean> {
    return this.#write(unlockScript, { name, ticket }, at);
  }

  async readNote(key: string, at: port.At): Promise<port.Note | undefined> {
    return (await this.#read<port.Note | null>(readNoteScript, { key }, at)) ?? undefined;
  }

  /** A script that is no verb of the port. Whoever calls it carries the mail that it writes: {@link mailedBy} of the answer, whose first place is JSON. */
  call(main: Main, how: "run" | "write", asked: object, at: port.At<unknown>, texts: readonly string[] = []): Promise<readonly unknown[]> {
    return this.#call(main, how, [JSON.stringify(asked), ...texts], at);
  }

  /** A part of a batch of an outbox. */
  async move(move: Move, at: port.At): Promise<Moved> {
    const request = JSON.stringify({ ...move, atoms: this.#subscribers.withIds(move.atoms) });
    const moved = JSON.parse(this.#learnt(await this.#run(moveScript, "write", [request], at))) as Moved;
    return moved.is === "stale" ? moved : { ...moved, refused: listOf(moved.refused) };
  }

  /** The text, not its hash: a server that does not know that would carry out all but this. */
  queueIn(tx: Multi, atoms: readonly port.Atom[], { now }: port.At<unknown>): void {
    tx.call("eval", [scriptOf(multiScript).text, "1", this.#key, now === undefined ? "" : String(now), JSON.stringify({ atoms })]);
  }

  async #enqueueSlim(atoms: readonly port.Atom[], at: port.At<unknown>, sending: Sending | undefined): Promise<port.Enqueued[][] | undefined> {
    const asked = parted(atoms, sending);
    if (asked === undefined) return undefined;
    for (const { ids } of asked.letters) sending?.sends(ids);
    if (await this.#enqueuePlain(asked, at)) return atoms.map((atom) => atom.works.map(({ id }) => ({ id, isDuplicate: false, state: "ready" })));
    const [, told] = (await this.#run(enqueueSlimScript, "write", slimRequest(asked), at)) as [number?, number[]?];
    if (told === undefined) return undefined;
    if (this.#templates.size > templatesMax) this.#templates.clear();
    for (const [template] of asked.here.groups) this.#templates.add(template);
    const states = statesOf(told);
    let nth = 0;
    return atoms.map((atom) =>
      atom.works.map(({ id }) => {
        const forwarded = sending?.homeOf(atom, id);
        return { id, isDuplicate: false, ...(forwarded === undefined ? { state: states[nth++] ?? "ready" } : { forwarded }) };
      }),
    );
  }

  /** Only of templates that were stored from here: most likely they are known. */
  async #enqueuePlain({ here, letters }: Parted, at: port.At<unknown>): Promise<boolean> {
    const isKnown = letters.length === 0 && here.groups.every(([template]) => this.#templates.has(template));
    const request = isKnown ? plainRequest(here) : undefined;
    if (request === undefined) return false;
    const [told] = (await this.#run(enqueuePlainScript, "write", request, at)) as [number?];
    return told !== undefined;
  }

  async #enqueueAll(atoms: readonly port.Atom[], at: port.At<unknown>): Promise<Answer> {
    const refusals = atoms.map(shapeRefusal);
    const stored = await this.#store(
      atoms.filter((_, nth) => refusals[nth] === undefined),
      at,
    );
    let nth = 0;
    return refusals.map((refusal) => refusal ?? enqueuedOf(stored[nth++] ?? []));
  }

  async #store(atoms: readonly port.Atom[], at: port.At<unknown>): Promise<(StoredEnqueued[] | Refusal)[]> {
    if (atoms.length === 0) return [];
    const request = JSON.stringify({ atoms: this.#subscribers.withIds(atoms) });
    return listOf(JSON.parse(this.#learnt(await this.#run(enqueueScript, "write", [request], at))) as (StoredEnqueued[] | Refusal)[]);
  }

  /** Its text; and what it told of subscriptions is known from now on. */
  #learnt(answer: unknown): string {
    const [text, , subscribers] = answer as [string, number, string?];
    if (typeof subscribers === "string" && subscribers !== "") this.#subscribers.learn(JSON.parse(subscribers) as ToldSubscribers);
    return text;
  }

  async #write<T>(main: Main, asked: object, at: port.At<unknown>): Promise<T> {
    const [text] = (await this.#run(main, "write", [JSON.stringify(asked)], at)) as [string];
    return JSON.parse(text) as T;
  }

  async #read<T>(main: Main, asked: object, at: port.At<unknown>): Promise<T> {
    const [text] = (await this.#run(main, "run", [JSON.stringify(asked)], at)) as [string];
    return JSON.parse(text) as T;
  }

  async #run(main: Main, how: "run" | "write", args: readonly string[], at: port.At<unknown>): Promise<unknown> {
    const answer = await this.#call(main, how, args, at);
    const mailed = mailedBy(main, answer);
    if (mailed.length > 0) await this.#teller.mailed?.(mailed, at);
    return answer;
  }

  async #call(main: Main, how: "run" | "write", args: readonly string[], { now }: port.At<unknown>): Promise<readonly unknown[]> {
    const isSlim = main === enqueuePlainScript || main === enqueueSlimScript;
    const isWork = isSlim || main === enqueueScript;
    const isAwake = isWork && this.#known.has(main);
    const first = `${now ?? ""},${this.#teller.self}`;
    const called = this.#connection[how](scriptOf(main), this.#key, [first, ...args]);
    if (isAwake) this.#teller.sent();
    const answer = (await called) as readonly unknown[];
    this.#known.add(main);
    // That of slim works begins with it.
    const told = answer[isSlim ? 0 : 1];
    if (told === 1 || told === 2) this.#teller.told(told === 2, isAwake);
    return answer;
  }
}

/** The homes that a script wrote mail for: told behind all else. */
export function mailedBy(main: Main, answer: readonly unknown[]): readonly number[] {
  const told = answer[main === enqueueSlimScript ? 2 : 3];
  return typeof told === "string" && told !== "" ? (JSON.parse(told) as readonly number[]) : [];
}

/** An empty table of Lua is not told apart from a list. */
function listOf<T>(list: T[] | readonly T[]): T[] {
  return Array.isArray(list) ? (list as T[]) : [];
}

function enqueuedOf(stored: StoredEnqueued[] | Refusal): port.Enqueued[] | ErrandError {
  if (isRefusal(stored)) return errorOf(stored);
  return listOf(stored).map(({ leased, ...one }) => (leased === undefined ? one : { ...one, leased: { fence: Number(leased.fence), now: leased.now } }));
}

/** For the thread that beats. */
export function beating(): Script {
  return scriptOf(beatScript);
}
