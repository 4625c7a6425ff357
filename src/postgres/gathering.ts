/** Jobs that take the payloads of those that come while they wait. */
import { payloadBytesMax } from "../core/defaults.ts";
import { flags } from "./flags.ts";

export const gatheringFunctions: string = `
-- The payload with that of a newcomer; null where it does not fit, is of another version, or the job has saved how far it came with its own. By primary key.
CREATE FUNCTION @.payload_with(_seq bigint, _work jsonb) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  _payload text;
BEGIN
  SELECT j.payload INTO _payload FROM @.jobs j
  WHERE j.seq = _seq AND j.checkpoint IS NULL AND (j.extra ->> 'version') IS NOT DISTINCT FROM (_work ->> 'version');
  IF _payload IS NULL THEN RETURN NULL; END IF;
  _payload := left(rtrim(_payload), -1) || CASE WHEN @.elements_in(_payload) = 0 THEN '' ELSE ',' END || substr(ltrim(_work ->> 'payload'), 2);
  RETURN CASE WHEN octet_length(_payload) <= ${payloadBytesMax} THEN _payload END;
END $$;

CREATE FUNCTION @.elements_in(_payload text) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT json_array_length(_payload::json) $$;

-- One more did not fit: it takes none any more. By primary key.
CREATE FUNCTION @.mark_full(_seq bigint) RETURNS void LANGUAGE sql AS $$ UPDATE @.jobs j SET flags = j.flags | ${flags.isFull} WHERE j.seq = _seq $$;
`;
