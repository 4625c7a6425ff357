/** What the drivers throw, and what the server answers, as errand's errors: the one place where they are told apart. */
import { ErrandError } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";

/** Whether the command may have reached the server by then. */
export type Sent = "sent" | "not sent";

interface Meaning {
  readonly code: ErrorCode;
  readonly cure: string;
  /** Whatever was sent: true, the server refused it and nothing was done; false, it may be done. Absent: it depends on whether it was sent. */
  readonly isDefinite?: boolean;
  /** Another connection may lead to a server that answers otherwise. */
  readonly endsConnection?: true;
}

const gone: Meaning = {
  code: "store-unreachable",
  cure: "errand connects again by itself; if it lasts, check that the server runs and can be reached from here",
  endsConnection: true,
};
const unsent: Meaning = { ...gone, isDefinite: true };
const elsewhere: Meaning = {
  code: "store-unreachable",
  cure: "this server is one of a cluster, and errand's keys are on another one of it: connect to the cluster (redis+cluster://host:port, or a Cluster of the driver's)",
  isDefinite: true,
  endsConnection: true,
};
const moving: Meaning = {
  code: "store-busy",
  cure: "the cluster is moving errand's keys to another server; errand tries again until all are there, and redis-cli --cluster check tells if that was left halfway",
  isDefinite: true,
};
const denied: Meaning = {
  code: "store-denied",
  cure: "check user and password in the URL, or in the client's options",
  isDefinite: true,
  endsConnection: true,
};
const forbidden: Meaning = {
  code: "store-denied",
  cure: "grant this user what errand needs: ACL SETUSER <name> ~{errand:* &{errand:* +@all -@admin -@dangerous +info +config|get",
  isDefinite: true,
};
const busy: Meaning = {
  code: "store-busy",
  cure: "somebody's script keeps the server from all else; errand tries again, and SCRIPT KILL ends it",
  isDefinite: true,
};

/**
 * By the word that an answer begins with. A script of errand's looks before it writes, and the server looks at all of these before a script's first write,
 * so nothing was done. https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
const answers: Readonly<Record<string, Meaning>> = {
  READONLY: {
    code: "store-readonly",
    cure: "the server is a replica, which cannot be written; connect to the primary, or let a Sentinel lead there",
    isDefinite: true,
    endsConnection: true,
  },
  MASTERDOWN: {
    code: "store-readonly",
    cure: "the server is a replica whose primary is away; connect to the primary, or promote this one",
    isDefinite: true,
    endsConnection: true,
  },
  LOADING: { code: "store-unreachable", cure: "the server still reads its data from disk; errand tries again until it has them", isDefinite: true },
  BUSY: busy,
  BUSYKEY: busy,
  TRYAGAIN: moving,
  MOVED: elsewhere,
  ASK: moving,
  CLUSTERDOWN: {
    code: "store-unreachable",
    cure: "the cluster does not serve these keys; errand tries again, and CLUSTER INFO tells what it lacks",
    isDefinite: true,
    // It may be this one alone that is cut off.
    endsConnection: true,
  },
  CROSSSLOT: {
    code: "store-unsafe",
    cure: "the server is one of a cluster, and takes the keys of a script for keys of several; update errand",
    isDefinite: true,
  },
  OOM: {
    code: "store-full",
    cure: "the server is at its maxmemory and, as errand needs it, evicts nothing: raise maxmemory, or let workers end what is there",
    isDefinite: true,
  },
  MISCONF: {
    code: "store-full",
    cure: "the server cannot write its data to disk, and takes no more until it can: look at its log, at the disk's room and rights",
    isDefinite: true,
  },
  NOREPLICAS: {
    code: "store-unreachable",
    cure: "the server has fewer replicas in reach than its min-replicas-to-write; bring them back",
    isDefinite: true,
  },
  NOAUTH: denied,
  WRONGPASS: denied,
  NOPERM: forbidden,
  NOPROTO: { ...denied, code: "store-unsafe", cure: "the server does not speak this protocol; use Redis 6.2 or later, or Valkey" },
  // Between two writes of a script this would leave the first one standing.
  WRONGTYPE: {
    code: "store-foreign",
    cure: "something under errand's prefix is not errand's; choose another one, { prefix: \"…\" }, or take it away",
    isDefinite: false,
  },
  UNBLOCKED: { ...gone, isDefinite: false },
};

/** An answer of the word ERR, and what a driver says by itself. The first that fits. */
const words: readonly (readonly [RegExp, Meaning])[] = [
  [/max number of clients/, { ...unsent, cure: "the server has no connection left: close some, or raise its maxclients" }],
  [
    /DB index is out of range|invalid DB index/,
    { code: "store-denied", cure: "the server has no database of that number; name another one, redis://host/0", isDefinite: true },
  ],
  [/SELECT is not allowed in cluster mode/, { code: "store-denied", cure: "a cluster has database 0 only; name that, redis://host/0", isDefinite: true }],
  [/Script killed by user/, busy],
  [/The user executing the script can't|ACL failure in script/, forbidden],
  [/^ERR (Client sent )?AUTH\b|invalid password|no such user|certificate|SSL/i, denied],
  [/^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT|EACCES)$/, unsent],
  [/isn't writeable|connect ETIMEDOUT|sentinels are unreachable|was not had within/, unsent],
  [/^(ECONNRESET|EPIPE|ETIMEDOUT)$|Connection is closed|Command timed out|Socket (closed|timeout)|aborted due to connection close/, gone],
];
const unknown: Meaning = { code: "store-failed", cure: "see its cause" };
const unknownAnswer: RegExp = /^NOSCRIPT\b|: NOSCRIPT /;

/** The server does not hold the script of that hash: it was started, or led to another one, since. */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && unknownAnswer.test(error.message);
}

export function failureOf(error: unknown, name: string, sent: Sent): ErrandError {
  if (error instanceof ErrandError) return error;
  const { code, cure, isDefinite } = meaningOf(error);
  const answer = answerWord(error);
  return new ErrandError(code, `${name}: ${saidBy(error)}: ${cure}`, {
    cause: error,
    details: { store: name, ...(answer !== undefined && { answer }) },
    isDefinite: sent === "not sent" || (isDefinite ?? false),
  });
}

/** Whether the connection is of no more use after it. */
export function endsConnection(error: unknown): boolean {
  return meaningOf(error).endsConnection === true;
}

/** What the server said by itself; nothing where it said nothing. `error`: of a driver's, or made of one. */
export function answerOf(error: unknown): { readonly word: string | undefined; readonly text: string } {
  const said = ErrandError.is(error) ? error.cause : error;
  return { word: answerWord(said), text: said instanceof Error ? said.message : "" };
}

function meaningOf(error: unknown): Meaning {
  const answer = answerWord(error);
  if (answer !== undefined && Object.hasOwn(answers, answer)) return answers[answer] ?? unknown;
  const said = [codeOf(error), ...messagesOf(error)];
  return words.find(([pattern]) => said.some((word) => pattern.test(word)))?.[1] ?? unknown;
}

/** Redis 6.2 wraps what a command of a script was answered: "ERR Error running script (call to f_…): @user_script:1: READONLY You can't …". */
function answerWord(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== "ReplyError") return undefined;
  const wrapped = /^ERR Error running script .*?@user_script: ?\d+: (?:@user_script: ?\d+: )?-?([A-Z]{3,}) /.exec(error.message);
  return wrapped?.[1] ?? /^-?([A-Z]+)(?: |$)/.exec(error.message)?.[1];
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "string" ? code : "";
}

/** A host of several addresses fails with an error of each; a connection that closed has what closed it as its cause. */
function messagesOf(error: unknown): readonly string[] {
  if (error instanceof AggregateError) return error.errors.flatMap((each: unknown) => [codeOf(each), ...messagesOf(each)]);
  return [error instanceof Error ? error.message : String(error)];
}

function saidBy(error: unknown): string {
  return messagesOf(error)
    .filter((message) => message !== "")
    .join(", ");
}
