/** What a run keeps, as JSON text: refused where it would not come back equal. */
import { ErrandError } from "../errors.ts";
import { encode } from "../payload.ts";

/** Throws `payload-not-json`, `checkpoint-too-large`. `what`: "the checkpoint of import". */
export function keptText(value: unknown, what: string): string {
  try {
    return encode(value, what);
  } catch (error) {
    if (!ErrandError.is(error)) throw error;
    if (error.code === "payload-too-large") throw new ErrandError("checkpoint-too-large", tooLarge(error), { cause: error, details: error.details });
    throw new ErrandError(error.code, error.message.slice(error.code.length + 2).replace("the payload of ", ""), { cause: error, details: error.details });
  }
}

/** As it was said of a payload: which bound, and by how much. */
function tooLarge(error: ErrandError): string {
  const [said = ""] = error.message
    .slice(error.code.length + 2)
    .replace("the payload of ", "")
    .split(";");
  return `${said}; save a pointer to it`;
}
