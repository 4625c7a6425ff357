/** What a call would have answered, its repeats answer too. */
import { ErrandError } from "./errors.ts";

/** `shape`: of what was stored, the call's own answer. */
export async function answering<T, A>(call: Promise<T>, shape: (answer: T) => A): Promise<A> {
  try {
    return shape(await call);
  } catch (error) {
    throw error instanceof ErrandError ? repeating(error, () => answering(error.again() as Promise<T>, shape)) : error;
  }
}

function repeating(error: ErrandError, again: () => Promise<unknown>): ErrandError {
  const { code, message, cause, details, isDefinite } = error;
  // Without the code, which the constructor puts in front.
  return new ErrandError(code, message.slice(code.length + 2), { cause: cause ?? error, details, isDefinite, again });
}
