/**
 * What the store answered to requests for locks, call by call, held to the port's words: tickets in the order of their asking, no later reader past a waiting
 * writer, one fence per grant, all greater than those before.
 */
import type { At, Engine, Grant, LockRequest, Waiting } from "../../src/core/engine.ts";

interface Ticket {
  readonly request: LockRequest;
  fence: number | undefined;
}

export class PortReplay {
  /** What was answered otherwise than the port says. */
  readonly complaints: string[] = [];
  readonly #lines: Map<string, Ticket[]> = new Map();
  #fence = 0;
  #calls = 0;

  get calls(): number {
    return this.#calls;
  }

  /** The same engine, with its answers about locks replayed here. Calls of a synchronous store arrive in the order of their effect. */
  watch(engine: Engine): Engine {
    return new Proxy(engine, {
      get: (target, name) => {
        const verb: unknown = Reflect.get(target, name, target);
        if (typeof verb !== "function") return verb;
        const call = (...args: unknown[]): unknown => Reflect.apply(verb, target, args);
        if (name === "lock") return (request: LockRequest, at: At) => this.#asked(request, call(request, at) as Grant | Waiting);
        if (name === "unlock") return (grant: LockRequest, at: At) => this.#returned(grant, call(grant, at) as boolean);
        if (name === "tidy") return (...args: unknown[]) => this.#tidied(engine, args[1] as At, call(...args));
        return call;
      },
    });
  }

  #asked(request: LockRequest, answer: Grant | Waiting): Grant | Waiting {
    this.#calls++;
    if (answer instanceof Promise) throw new TypeError("the replay needs a store that answers at once");
    const line = this.#lines.get(request.name) ?? [];
    this.#lines.set(request.name, line);
    let ticket = line.find((each) => each.request.ticket === request.ticket);
    if (ticket === undefined) line.push((ticket = { request, fence: undefined }));
    const ahead = aheadOf(ticket, line);
    if (answer.is === "waiting") this.#waits(ticket, ahead, answer);
    else this.#grants(ticket, ahead, answer);
    return answer;
  }

  #waits({ request, fence }: Ticket, ahead: number, answer: Waiting): void {
    if (fence !== undefined) this.#complain(`${request.ticket} holds ${request.name} and is told to wait`);
    else if (ahead === 0) this.#complain(`${request.ticket} waits for ${request.name}, and nobody is ahead of it`);
    else if (answer.ahead !== ahead) this.#complain(`${request.ticket} is told that ${answer.ahead} are ahead of it for ${request.name}, of ${ahead}`);
  }

  #grants(ticket: Ticket, ahead: number, answer: Grant): void {
    const { request, fence } = ticket;
    if (fence !== undefined) {
      if (fence !== answer.fence) this.#complain(`${request.ticket} holds ${request.name} under fence ${fence}, and is told ${answer.fence}`);
      return;
    }
    if (ahead > 0) this.#complain(`${request.ticket} is granted ${request.name} before ${ahead} others`);
    if (answer.fence <= this.#fence) this.#complain(`fence ${answer.fence} comes after ${this.#fence}`);
    this.#fence = Math.max(this.#fence, answer.fence);
    ticket.fence = answer.fence;
  }

  #returned({ name, ticket }: Pick<LockRequest, "name" | "ticket">, answer: boolean): boolean {
    this.#calls++;
    const line = this.#lines.get(name) ?? [];
    const place = line.findIndex(({ request }) => request.ticket === ticket);
    if (answer !== place >= 0) this.#complain(`unlocking ${ticket} of ${name} answers ${answer}`);
    if (place >= 0) line.splice(place, 1);
    return answer;
  }

  /** Who is gone after a pass was taken back: all of a process at once. In the same turn, so that nobody asks in between. */
  #tidied(engine: Engine, at: At, answer: unknown): unknown {
    const page = engine.find({ of: "locks", limit: 1_000 }, at);
    if (answer instanceof Promise || page instanceof Promise) throw new TypeError("the replay needs a store that answers at once");
    const there = new Set(page.rows.map(({ name, ticket }) => `${name} ${ticket}`));
    const gone = new Set<string>();
    for (const [name, line] of this.#lines) {
      for (const { request } of line) if (!there.has(`${name} ${request.ticket}`)) gone.add(request.process);
    }
    for (const { ticket, process } of page.rows) if (gone.has(process)) this.#complain(`${process} lost some of its tickets, and kept ${ticket}`);
    for (const [name, line] of this.#lines) {
      this.#lines.set(
        name,
        line.filter(({ request }) => !gone.has(request.process)),
      );
    }
    return answer;
  }

  #complain(what: string): void {
    this.complaints.push(what);
  }
}

function aheadOf({ request }: Ticket, line: readonly Ticket[]): number {
  const before = line.slice(
    0,
    line.findIndex((each) => each.request === request),
  );
  const writers = before.filter((each) => each.request.mode === "write").length;
  return request.mode === "read" ? writers : before.length - writers + Math.max(0, writers - (request.permits ?? 1) + 1);
}
