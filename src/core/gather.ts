/** A debounce that accumulates: one more element at the end of a stored array. Pure, so that all engines gather alike. */
import { payloadBytesMax } from "./defaults.ts";

/** `payload` and `one` are texts of JSON arrays, `one` of one element. Undefined where the array would be above the cap of a payload. */
export function gathered(payload: string, one: string): string | undefined {
  const elements = payload.slice(payload.indexOf("[") + 1, payload.lastIndexOf("]"));
  const element = one.slice(one.indexOf("[") + 1, one.lastIndexOf("]"));
  const text = `[${elements},${element}]`;
  const bytes = text.length > payloadBytesMax / 3 ? Buffer.byteLength(text) : text.length;
  return bytes > payloadBytesMax ? undefined : text;
}
