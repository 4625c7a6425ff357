/** Where a ready job stands in `ready`: those that a claim may have to pass over stand apart, so that none of them is walked. */
import { suspectsBeforeAlone } from "../core/defaults.ts";

/** Far above all lines. */
export const triedFrom = 1_000_000_000;

/** What was tried before stands apart, and what must run alone: of a row of `jobs`. */
export const readyPlaceOf = (row: string): string =>
  `CASE WHEN ${row}.suspects >= ${suspectsBeforeAlone} THEN -${row}.line WHEN ${row}.attempts > 0 THEN ${row}.line + ${triedFrom} ELSE ${row}.line END`;

/** By primary key. */
export const anyAlone = "EXISTS (SELECT 1 FROM @.ready WHERE line < 0 LIMIT 1)";

export const readyPlaceFunctions: string = `
CREATE FUNCTION @.ready_place(_line int, _suspects int, _attempts int) RETURNS int LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN _suspects >= ${suspectsBeforeAlone} THEN -_line WHEN _attempts > 0 THEN _line + ${triedFrom} ELSE _line END
$$;
`;
