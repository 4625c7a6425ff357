/** What the functions tell of a refusal, in the words that all engines use for it. */
import type { NewWork } from "./engine.ts";
import { ErrandError } from "./errors.ts";
import type { ErrorCode } from "./errors.ts";
import { afterItself, afterUnknown, joinClosed, joinIncomplete } from "./joining.ts";
import { atomTooLarge, idConflict, listRefused, permitsConflict } from "./refusals.ts";
import type { TooMany } from "./refusals.ts";

type Kind = NewWork["kind"];

export type Refusal =
  | { readonly refusal: "enqueue-too-many"; readonly works: number; readonly notes: number }
  | { readonly refusal: "option-invalid"; readonly kind: Kind; readonly id: string; readonly is: TooMany; readonly count: number }
  | { readonly refusal: "id-conflict"; readonly kind: Kind; readonly id: string }
  | { readonly refusal: "after-unknown" | "graph-cycle"; readonly id: string; readonly by: string }
  | { readonly refusal: "join-closed"; readonly id: string }
  | { readonly refusal: "join-incomplete"; readonly id: string; readonly given: number; readonly size: number }
  | { readonly refusal: "note-conflict"; readonly key: string; readonly version: number; readonly ifVersion: number }
  | { readonly refusal: "lease-lost"; readonly process: string; readonly name: string }
  | { readonly refusal: "permits-conflict"; readonly name: string; readonly asked: number; readonly others: number }
  /** Told in words of its own. */
  | { readonly refusal: ErrorCode; readonly message: string; readonly details?: Readonly<Record<string, unknown>> };

export function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === "object" && answer !== null && "refusal" in answer;
}

export function errorOf(refused: Refusal): ErrandError {
  if ("message" in refused) return new ErrandError(refused.refusal, refused.message, refused.details && { details: refused.details });
  switch (refused.refusal) {
    case "enqueue-too-many":
      return atomTooLarge(refused.works, refused.notes);
    case "option-invalid":
      return listRefused(refused, refused.is, refused.count);
    case "id-conflict":
      return idConflict(refused.kind, refused.id);
    case "after-unknown":
      return afterUnknown(refused.id, refused.by);
    case "graph-cycle":
      return afterItself(refused.by, refused.id);
    case "join-closed":
      return joinClosed(refused.id);
    case "join-incomplete":
      return joinIncomplete(refused.id, refused.given, refused.size);
    case "note-conflict":
      return noteConflict(refused);
    case "lease-lost":
      return new ErrandError("lease-lost", `the lease of process ${refused.process} was taken back; ask for lock ${refused.name} as a new process`);
    case "permits-conflict":
      return permitsConflict(refused.name, refused.asked, refused.others);
  }
}

function noteConflict({ key, version, ifVersion }: { readonly key: string; readonly version: number; readonly ifVersion: number }): ErrandError {
  return new ErrandError("note-conflict", `note ${key} is at version ${version}, not ${ifVersion}; read it again and repeat the change`, {
    details: { key, version, ifVersion },
  });
}
