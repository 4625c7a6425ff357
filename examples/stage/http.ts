/** As much HTTP as the demonstrations need. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ready } from "./ready.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Serves on a free port of this machine, and tells the parent process the address. What a handler throws becomes a 500. */
export async function serve(handle: Handler): Promise<void> {
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    void (async () => handle(request, response))().catch((error: unknown) => {
      if (!response.headersSent) answer(response, 500, { error: String(error) });
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  ready(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

export async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}

export function answer(response: ServerResponse, status: number, body: unknown = {}): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
