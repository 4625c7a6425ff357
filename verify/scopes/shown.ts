/** Calls and answers, short enough to be read in a list of steps; without fences and instants, in which engines may differ. */
import type * as port from "../../src/core/engine.ts";
import type { Verb } from "./play.ts";

export function shownCall(verb: Verb, args: readonly unknown[]): string {
  switch (verb) {
    case "enqueue":
      return `enqueues ${(args[0] as readonly port.Atom[]).map(({ works, notes = [] }) => [...works.map(shownWork), ...notes.map(({ key, value }) => `note ${key}${value === undefined ? " away" : ""}`)].join(" + ")).join(" | ")}`;
    case "claim": {
      const { alone, settling, process, inRow } = args[0] as port.Claim;
      const told = settling.map(({ id, is }) => `, telling that ${id} is ${is}`).join("");
      return `claims as ${process}${alone === "only" ? " what runs alone" : ""}${inRow === undefined ? "" : ` ${inRow} in a row`}${told}`;
    }
    case "settle":
      return `settles ${(args[0] as readonly port.Outcome[]).map(({ id, is, checkpoint }) => `${id} as ${is}${checkpoint === undefined ? "" : ` ${checkpoint}`}`).join(", ")}`;
    case "beat":
      return `beats for ${String(args[0])}`;
    case "tidy":
      return "tidies up";
    case "change": {
      const [which, change] = args as [port.Selection, port.Change];
      return `${change.do}s ${"ids" in which ? which.ids.join(", ") : JSON.stringify(which)}`;
    }
    case "lock": {
      const { name, mode, ticket } = args[0] as port.LockRequest;
      return `asks to ${mode} ${name} with ticket ${ticket}`;
    }
    case "unlock":
      return `gives back ticket ${(args[0] as { ticket: string }).ticket}`;
    default:
      return `${verb} ${JSON.stringify(args)}`;
  }
}

function shownWork(work: port.NewWork): string {
  return work.kind === "join" ? `${work.isSealed ? "sealed" : "open"} batch ${work.id}` : `${work.kind} ${work.id}`;
}

export function shownAnswer(verb: Verb, answer: unknown): string {
  switch (verb) {
    case "enqueue":
      return (answer as (port.Enqueued[] | Error)[])
        .map((each) =>
          Array.isArray(each)
            ? each.map(({ id, isDuplicate, state, leased }) => `${id} ${state ?? ""}${isDuplicate ? " again" : ""}${leased ? " leased" : ""}`).join(" ")
            : (each as { code?: string }).code,
        )
        .join("|");
    case "claim": {
      const { jobs, settled } = answer as port.Claimed;
      return `${jobs.map(({ id, checkpoint, payload }) => `${id}${payload === "{}" ? "" : ` with ${payload}`}${checkpoint === undefined ? "" : ` at ${checkpoint}`}`).join(" ") || "nothing"}${settled.length > 0 ? ` and ${shownSettled(settled)}` : ""}`;
    }
    case "settle":
      return shownSettled(answer as readonly port.Settled[]);
    case "beat": {
      const { isLost, cancelled } = answer as port.Heard;
      return `${isLost ? "lost" : "held"}${cancelled.length > 0 ? ` cancel ${cancelled.join(" ")}` : ""}`;
    }
    case "tidy":
      return (answer as port.Tidied).takenBack > 0 ? `${(answer as port.Tidied).takenBack} taken back` : "tidy";
    case "change":
      return (answer as port.Changed).jobs.map(({ is }) => is).join(" ") || "none";
    case "lock":
      return (answer as port.Grant | port.Waiting).is;
    case "find":
      return `${(answer as port.Page).rows.length} rows`;
    case "readNote":
      return answer === undefined ? "none" : `version ${(answer as port.Note).version}`;
    default:
      return String(answer);
  }
}

function shownSettled(settled: readonly port.Settled[]): string {
  return settled.map(({ is, state }) => (is === "settled" ? (state ?? is) : is)).join(" ");
}
