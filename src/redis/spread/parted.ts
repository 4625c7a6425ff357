/** A call of which some homes did their part and others failed. */
import { ErrandError } from "../../core/errors.ts";

/** Definite only where nothing was done anywhere. `hasDone`: some home did its part. */
export function failureOf(failed: readonly unknown[], hasDone: boolean): unknown {
  const first = failed.find((error) => !isDefinite(error)) ?? failed[0];
  if (!ErrandError.is(first) || !first.isDefinite || !hasDone) return first;
  const said = first.message.slice(first.code.length + 2);
  return new ErrandError(first.code, `${said}; other partitions may have done their part of this call`, {
    cause: first,
    details: first.details,
    isDefinite: false,
  });
}

/** What those answered that did. Throws where none did. */
export async function answered<T>(calls: readonly Promise<T>[]): Promise<{ readonly answers: readonly T[]; readonly failed: readonly unknown[] }> {
  const ends = await Promise.allSettled(calls);
  const failed = ends.flatMap((end) => (end.status === "rejected" ? [end.reason as unknown] : []));
  if (failed.length > 0 && failed.length === ends.length) throw failureOf(failed, false);
  return { answers: ends.flatMap((end) => (end.status === "fulfilled" ? [end.value] : [])), failed };
}

function isDefinite(error: unknown): boolean {
  return ErrandError.is(error) && error.isDefinite;
}
