/** A transaction of Redis' own, `client.multi()`: what is handed in is one more command in it, carried out with the app's by its `exec`, or never. */
import { ErrandError } from "../core/errors.ts";
import { script } from "./fragment.ts";
import type { Main } from "./fragment.ts";
import { nameOf } from "./way.ts";

/** What is used of a pipeline of ioredis or iovalkey. */
export interface Multi {
  readonly redis: { readonly options: object };
  /** How many MULTI are open in it; none after its `exec`. */
  readonly _transactions: number;
  readonly isCluster?: boolean;
  call(command: string, args: string[]): unknown;
}

/**
 * The commands beside it are carried out even if this one is refused: Redis rolls nothing back. So a refusal is an error among the answers of `exec`. Nobody of ours
 * hears the answer, so others are told of work at once.
 */
export const multiScript: Main = script(
  "multi",
  String.raw`
local request = cjson.decode(ARGV[2])
local refusals = {}
for i, atom in ipairs(request.atoms) do
  local refusal = U.enqueue.refusal_of(atom)
  if refusal then
    flush()
    return redis.error_reply('ERRAND ' .. refusal.refusal .. ': nothing of this call was stored; ' .. cjson.encode(refusal))
  end
end
local answers = {}
for i, atom in ipairs(request.atoms) do
  for _, one in ipairs(U.enqueue.store_atom(atom)) do answers[#answers + 1] = one end
end
if S.woken then S.woken = true end
flush()
return cjson.encode(answers)
`,
);

export function isMulti(tx: unknown): tx is Multi {
  return typeof tx === "object" && tx !== null && "isPipeline" in tx && "redis" in tx && "_transactions" in tx;
}

/** Throws `tx-not-open`, `tx-foreign`, `tx-unsupported`. `store`: where the engine's keys are, as messages name it. */
export function checkMulti(tx: Multi, store: string): void {
  if (tx._transactions === 0) {
    throw new ErrandError(
      "tx-not-open",
      "what was given to within() is a pipeline without MULTI, or its exec() was called; begin with client.multi(), and call within(multi) before multi.exec()",
    );
  }
  if (tx.isCluster === true) {
    throw new ErrandError(
      "tx-unsupported",
      "within(multi) is for one server: a cluster has no transaction over the keys of several; enqueue after multi.exec()",
    );
  }
  const { keyPrefix } = tx.redis.options as { readonly keyPrefix?: unknown };
  if (typeof keyPrefix === "string" && keyPrefix !== "") {
    throw new ErrandError("tx-unsupported", `the client of this MULTI puts "${keyPrefix}" before every key, errand's too; use one without keyPrefix`);
  }
  const theirs = nameOf(tx.redis.options);
  if (placeOf(theirs) === placeOf(store)) return;
  throw new ErrandError("tx-foreign", `the MULTI given to within() is of ${theirs}, and errand's keys are on ${store}; give both the same address`);
}

function placeOf(name: string): string {
  return name.replace("//localhost:", "//127.0.0.1:");
}
