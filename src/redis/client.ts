/** The connections to a Redis or Valkey server: errand's own, made from a URL or after the pattern of a client that was handed in and stays the app's. */
import type { Script } from "./fragment.ts";

export type Argument = string | Buffer;

/** Answers of the server are as it sent them, texts as UTF-8. Throws ErrandError, definite unless the store may have done it. */
export interface Connection {
  /** Where it is, for messages: without a password. */
  readonly name: string;
  /** One script on one key, one atom, one round trip. No wait is unbounded. */
  run(script: Script, key: string, args: readonly Argument[]): Promise<unknown>;
  /** As `run`, for what is acknowledged to somebody: waits for as many replicas as were asked for. Without any it is `run`. */
  write(script: Script, key: string, args: readonly Argument[]): Promise<unknown>;
  /** One command. */
  ask(command: string, ...args: readonly Argument[]): Promise<unknown>;
  /** A connection beside this one that hears a channel. */
  hear(channel: string, ear: Ear): Promise<Hearing>;
  /** How another thread connects to the same server; undefined where that cannot be told to it. */
  reach(): Reach | undefined;
  close(): Promise<void>;
}

export interface Ear {
  heard(message: string): void;
  /** Once; nothing is heard any more. */
  lost(error: Error): void;
}

export interface Hearing {
  /** Resolves when the server answers on this connection. */
  probe(): Promise<void>;
  end(): void;
}

/** Can be cloned into another thread. */
export interface Reach {
  readonly driver: "ioredis" | "iovalkey";
  readonly options: object;
}
