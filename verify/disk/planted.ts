/** Bugs that the checks of this folder must see. */
import type { Connection } from "../../src/sqlite/driver.ts";
import type { Told } from "./told.ts";

export type Bug = "acknowledges before the commit" | "acknowledges what failed" | "calls every failure definite" | "synchronous = NORMAL" | "synchronous = OFF";

export interface Planted {
  readonly around: (connection: Connection) => Connection;
  readonly told: (line: Told) => Told;
}

export function planted(bug: Bug | undefined): Planted {
  return {
    around: bug === "synchronous = NORMAL" || bug === "synchronous = OFF" ? (connection) => weakened(connection, bug) : (connection) => connection,
    told: (line) => {
      if (bug === "acknowledges what failed" && line.is !== "begun") return { ...line, is: "done" };
      if (bug === "calls every failure definite" && line.is === "indefinite") return { ...line, is: "definite" };
      return line;
    },
  };
}

/** It tells the engine what that wants to hear. */
function weakened(connection: Connection, setting: string): Connection {
  const pragma = connection.pragma.bind(connection);
  connection.pragma = (source, options) => {
    if (source === "synchronous") return 2;
    return pragma(source === "synchronous = FULL" ? setting : source, options);
  };
  return connection;
}
