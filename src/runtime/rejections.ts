/**
 * Rejections that nobody handled, offered to every broker of the process through one listener.
 *
 * The listener runs in the asynchronous context of the rejection (measured on Node 22.23 and 24.21: AsyncLocalStorage answers the store of the
 * async function that failed). Node 24 takes the context in which `reject` was called, Node 22 that in which the promise was made: they differ only for
 * a bare promise that is rejected from elsewhere, which on 24 belongs to nobody.
 */
type Taker = (reason: unknown) => boolean;

const takers: Set<Taker> = new Set();

/** `fn` answers true if it took the rejection. Answers how to stop listening. */
export function onUnhandledRejection(fn: Taker): () => void {
  const taker: Taker = (reason) => fn(reason);
  if (takers.size === 0) process.on("unhandledRejection", offer);
  takers.add(taker);
  return () => {
    takers.delete(taker);
    if (takers.size === 0) process.off("unhandledRejection", offer);
  };
}

function offer(reason: unknown): void {
  for (const taker of takers) if (taker(reason)) return;
  const isHeardByOthers = process.listenerCount("unhandledRejection") > 1;
  // By listening we took the platform's default away: Node ends a process whose rejections nobody hears, unless it was told otherwise.
  if (!isHeardByOthers && !isDefaultChanged()) throw errorOf(reason);
}

function isDefaultChanged(): boolean {
  return /--unhandled-rejections=(?:warn|none|warn-with-error-code)\b/.test([...process.execArgv, process.env["NODE_OPTIONS"] ?? ""].join(" "));
}

/** What Node makes of a reason that is no error. */
function errorOf(reason: unknown): unknown {
  if (reason instanceof Error) return reason;
  const error = new Error(
    `This error originated either by throwing inside of an async function without a catch block, or by rejecting a promise which was not handled with .catch(). The promise rejected with the reason ${JSON.stringify(String(reason))}.`,
    { cause: reason },
  );
  return Object.assign(error, { code: "ERR_UNHANDLED_REJECTION" });
}
