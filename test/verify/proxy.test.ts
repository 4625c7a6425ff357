/** The way between a process and its store: each fault is what it says, and what passes is never out of order. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Proxy } from "../../src/verify/faults/proxy.ts";

let echo: Server;
let proxy: Proxy;

before(async () => {
  echo = createServer((socket) => void socket.on("error", () => undefined).pipe(socket));
  await once(echo.listen(0, "127.0.0.1"), "listening");
  const address = echo.address();
  assert.ok(typeof address === "object" && address !== null);
  proxy = await Proxy.before({ host: "127.0.0.1", port: address.port });
});
after(async () => {
  await proxy.close();
  echo.close();
});

async function connected(): Promise<Socket> {
  const socket = connect(proxy.address);
  await once(socket, "connect");
  return socket;
}

/** Resolves when so many bytes have come back. */
async function heard(socket: Socket, bytes: number): Promise<string> {
  let text = "";
  while (text.length < bytes) text += String((await once(socket, "data"))[0]);
  return text;
}

test("what is open passes everything, both ways", async () => {
  const socket = await connected();
  const sent = "x".repeat(1_000_000);
  socket.write(sent);
  assert.equal(await heard(socket, sent.length), sent);
  socket.destroy();
});

test("bytes stay in order, however the delay changes while they are on their way", async () => {
  const socket = await connected();
  const sent = Array.from({ length: 300 }, (_, n) => `${n} `);
  const all = heard(socket, sent.join("").length);
  for (const [n, part] of sent.entries()) {
    proxy.set(n % 3 === 0 ? "delay" : "open", 4);
    socket.write(part);
    await setImmediate();
  }
  proxy.set("open");
  assert.equal(await all, sent.join(""));
  socket.destroy();
});

test("a cut ends what is connected and refuses what is new", async () => {
  const socket = await connected();
  socket.write("a");
  await heard(socket, 1);
  proxy.set("cut");
  await once(socket, "error");
  const other = connect(proxy.address);
  const [error] = (await once(other, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNRESET");
  proxy.set("open");
});

test("what is frozen passes when it is open again", async () => {
  const socket = await connected();
  socket.write("a");
  await heard(socket, 1);
  proxy.set("freeze");
  socket.write("b");
  proxy.set("open");
  assert.equal(await heard(socket, 1), "b");
  socket.destroy();
});

test("half open: what is said arrives, no answer comes, and the connection is ended afterwards", async () => {
  const socket = await connected();
  socket.write("a");
  await heard(socket, 1);
  const arrived = once(echo, "connection").then(([accepted]) => once(accepted as Socket, "data"));
  proxy.set("half-open");
  const other = connect(proxy.address);
  other.write("b");
  assert.equal(String((await arrived)[0]), "b");
  const ended = Promise.all([once(socket, "error"), once(other, "error")]);
  proxy.set("open");
  await ended;
});
