/** Asks the server to stop what it does for a client of `pg`: a statement that was given up would go on, and hold its locks. */
import { connect } from "node:net";

/** What `pg` knows of its connection; another implementation may not. */
interface Backend {
  readonly processID?: unknown;
  readonly secretKey?: unknown;
  readonly host?: unknown;
  readonly port?: unknown;
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-CANCELREQUEST */
const cancelCode = 80_877_102;
const bytes = 16;

/** On a connection of its own, as the protocol wants it, which the server ends. Nobody is told whether it was heard. */
export function cancelRequest(client: object): void {
  const { processID, secretKey, host, port } = client as Backend;
  if (typeof processID !== "number" || typeof secretKey !== "number" || typeof port !== "number") return;
  const message = Buffer.alloc(bytes);
  for (const [at, part] of [bytes, cancelCode, processID, secretKey].entries()) message.writeInt32BE(part, at * 4);
  const place = typeof host === "string" ? host : "localhost";
  const socket = place.startsWith("/") ? connect(`${place}/.s.PGSQL.${port}`) : connect(port, place);
  // It is no failure of the call, which has failed already.
  socket.on("error", () => undefined);
  socket.unref().end(message);
}
