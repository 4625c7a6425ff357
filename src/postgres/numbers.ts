/** States as they are stored. */
import { jobStates } from "../core/states.ts";
import type { JobState } from "../core/states.ts";

/** Never renumbered. */
const codes: Readonly<Record<JobState, number>> = {
  scheduled: 1,
  blocked: 2,
  ready: 3,
  running: 4,
  parked: 5,
  completed: 6,
  skipped: 7,
  cancelled: 8,
  dead: 9,
};

export function codeOf(state: JobState): number {
  return codes[state];
}

export function stateOfCode(code: number): JobState {
  const state = jobStates.find((name) => codes[name] === code);
  if (state === undefined) throw new Error(`no state has code ${code}`);
  return state;
}

const byCode = Object.entries(codes).map(([state, code]) => `WHEN ${code} THEN '${state}'`);
const byState = Object.entries(codes).map(([state, code]) => `WHEN '${state}' THEN ${code}`);

export const numberFunctions: string = `
CREATE FUNCTION @.code_of(_state text) RETURNS smallint LANGUAGE sql IMMUTABLE AS $$ SELECT (CASE _state ${byState.join(" ")} END)::smallint $$;
CREATE FUNCTION @.state_of_code(_code smallint) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT CASE _code ${byCode.join(" ")} END $$;
CREATE FUNCTION @.is_ended(_state text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT _state IN ('completed', 'skipped', 'cancelled', 'dead') $$;
-- What an ending is to those that come after it: 'well', 'badly', or null. Parked counts as ended.
CREATE FUNCTION @.ended_as(_state text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN _state IN ('completed', 'skipped') THEN 'well' WHEN _state IN ('dead', 'cancelled', 'parked') THEN 'badly' END
$$;
`;
