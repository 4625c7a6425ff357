/** What it needs is in use, or nobody has it. */
import type { GateRow } from "../../engine.ts";
import type { Door, FindDoors } from "./door.ts";

export const lacking: FindDoors = async (_, known, look) => {
  const needs = Object.entries(known?.needs ?? {});
  const rows = (await look.gates(needs.map(([name]) => name))).filter(({ kind }) => kind === "resource");
  return needs.flatMap(([name, amount]) =>
    known?.own?.[name] === undefined
      ? doorOf(
          name,
          amount,
          rows.find((row) => row.name === name),
        )
      : ownDoor(name, amount, known.own[name]),
  );
};

function doorOf(name: string, amount: number, row: GateRow | undefined): readonly Door[] {
  const { used = 0, most = 0 } = row ?? {};
  if (amount > most) return [{ closed: `it needs ${amount} ${name}, and there ${most === 1 ? "is" : "are"} ${row?.most === undefined ? "none" : most}` }];
  if (used + amount <= most) return [];
  return [{ closed: `it needs ${amount} ${name}, and ${used} of ${most} are in use`, opens: "it goes on when enough of it is given back" }];
}

/** What of it is in use only the worker knows. */
function ownDoor(name: string, amount: number, own: number): readonly Door[] {
  return own < amount ? [{ closed: `it needs ${amount} ${name}, and a worker has ${own} of its own` }] : [];
}
