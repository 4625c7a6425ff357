/** Where the messages of a connection end: those of PostgreSQL begin with a type and a length, those of Redis say their lengths in lines. */

/** How long the message is that the bytes begin with; undefined: it is not there to its end. */
export type LengthOf = (bytes: Buffer) => number | undefined;

const typeBytes = 1;
const headBytes = 5;
const lineEnd = "\r\n";

/** Once the session has begun. https://www.postgresql.org/docs/current/protocol-message-formats.html */
export function postgresLength(bytes: Buffer): number | undefined {
  if (bytes.length < headBytes) return undefined;
  const length = typeBytes + bytes.readInt32BE(typeBytes);
  return bytes.length < length ? undefined : length;
}

/** Both ways, in the second version of the protocol. https://redis.io/docs/latest/develop/reference/protocol-spec/ */
export function redisLength(bytes: Buffer): number | undefined {
  return endOf(bytes, 0);
}

function endOf(bytes: Buffer, from: number): number | undefined {
  const line = bytes.indexOf(lineEnd, from);
  if (line < 0) return undefined;
  const past = line + lineEnd.length;
  const type = String.fromCharCode(bytes[from] ?? 0);
  const count = Number(bytes.toString("latin1", from + 1, line));
  if (type === "$") {
    const end = count < 0 ? past : past + count + lineEnd.length;
    return end > bytes.length ? undefined : end;
  }
  if (type !== "*") return past;
  let end: number | undefined = past;
  for (let nth = 0; nth < count && end !== undefined; nth += 1) end = endOf(bytes, end);
  return end;
}

/** Chunks as they come, put together to messages. */
export class Frames {
  readonly #lengthOf: LengthOf;
  #rest: Buffer = Buffer.of();

  constructor(lengthOf: LengthOf) {
    this.#lengthOf = lengthOf;
  }

  *of(chunk: Buffer): Generator<Buffer> {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (let length = this.#lengthOf(this.#rest); length !== undefined; length = this.#lengthOf(this.#rest)) {
      const frame = this.#rest.subarray(0, length);
      this.#rest = this.#rest.subarray(length);
      yield frame;
    }
  }
}
