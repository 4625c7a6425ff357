/** What becomes of a message that another home sent: by its kind, the function that takes it. */
import { fragment } from "./fragment.ts";
import type { Fragment } from "./fragment.ts";
import { loanKinds } from "./loans.ts";

/** By message.is; each is called with the message, the number of the home that it comes from, and that of the era it was sent in. */
const takers: Readonly<Record<string, string>> = {
  note: "U.enqueue.take_note",
  notes: "U.rebirth.take_notes",
  works: "U.standIn.works",
  slim: "U.slim.take",
  ended: "U.standIn.ended",
  parked: "U.standIn.parked",
  live: "U.standIn.live",
  lost: "U.standIn.lost",
  change: "U.standIn.change",
  orphan: "U.standIn.orphan",
  ...Object.fromEntries(loanKinds.map((kind) => [kind, "U.loans.take"])),
};

/**
 * A taker answers nothing, or what its sender's client is told (with `is`, that of the message, so that it is known for what it is); or a function that is called for that
 * when all that follows has happened.
 */
export const takeFragment: Fragment = fragment(
  "take",
  String.raw`
local takers = {
${Object.entries(takers)
  .map(([is, taker]) => `  ${is} = function(message, from, era) return ${taker}(message, from, era) end,`)
  .join("\n")}
}

-- Another errand may know more kinds.
function M.is_known(message)
  return takers[message.is] ~= nil
end

function M.take(message, from, era)
  return takers[message.is](message, from, era)
end
`,
);
