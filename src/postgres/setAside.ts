/**
 * What an app's transaction handed in and cannot be taken in, whatever is tried: by itself it would stop every verb for ever. It is set aside, with all that it says,
 * and the others go on; the server's log and the doctor tell of it, and it can be taken in again.
 */
import { keepFloorDown } from "./floors.ts";
import { quoted } from "./quoting.ts";

/** In the slow way, where one of many is wrong: so many in one verb. Each is in a transaction of its own within the verb's. */
const singlyMax = 100;

/** What the row itself brings about: not what the server, its load or its privileges do, which pass. */
const itsOwn = "data_exception OR integrity_constraint_violation OR cardinality_violation OR program_limit_exceeded OR plpgsql_error";

const countedMax = 1_000;

export function setAsideStatement(schema: string): string {
  return `SELECT count(*) AS n FROM (SELECT 1 FROM ${quoted(schema)}.set_aside LIMIT ${countedMax}) s`;
}

export const setAsideTables: string = `
-- Handed in by an app's transaction, and cannot be taken in: as in the inbox, with what the server said.
CREATE TABLE @.set_aside (n bigint PRIMARY KEY, kind text NOT NULL, body jsonb NOT NULL, error text NOT NULL, at timestamptz NOT NULL);
`;

export const setAsideFunctions: string = `
-- Takes in what callers' transactions have committed, in the order of handing in. Within a verb. Answers false where it was too much for one: a verb that has to see
-- all of it then leaves its answer out, and is called again.
CREATE FUNCTION @.take_in_inbox() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF NOT @.has_inbox() THEN RETURN true; END IF;
  BEGIN
    RETURN @.take_in_rows(NULL);
  EXCEPTION WHEN ${itsOwn} THEN
    RETURN @.take_in_singly();
  END;
END $$;

-- One by one: the wrong one is set aside. By primary key.
CREATE FUNCTION @.take_in_singly() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  _ns bigint[] := ARRAY(SELECT i.n FROM @.inbox i WHERE i.n >= @.first_in_inbox() ORDER BY i.n LIMIT ${singlyMax + 1});
  _n bigint;
BEGIN
  FOREACH _n IN ARRAY _ns[1:${singlyMax}] LOOP
    BEGIN
      PERFORM @.take_in_rows(_n);
    EXCEPTION WHEN ${itsOwn} THEN
      PERFORM @.take_in_once_more(_n);
    END;
  END LOOP;
  IF cardinality(_ns) > ${singlyMax} THEN PERFORM @.tally('left'); END IF;
  RETURN cardinality(_ns) <= ${singlyMax};
END $$;

-- An id that somebody stored at the same moment, without the write lock, is known now.
CREATE FUNCTION @.take_in_once_more(_n bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _error text;
BEGIN
  PERFORM @.take_in_rows(_n);
EXCEPTION WHEN ${itsOwn} THEN
  GET STACKED DIAGNOSTICS _error = MESSAGE_TEXT;
  PERFORM @.set_aside(_n, _error);
END $$;

CREATE FUNCTION @.set_aside(_n bigint, _error text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO @.set_aside (n, kind, body, error, at) SELECT i.n, i.kind, i.body, _error, clock_timestamp() FROM @.inbox i WHERE i.n = _n;
  DELETE FROM @.inbox i WHERE i.n = _n;
  DELETE FROM @.promised p WHERE p.n = _n;
  RAISE WARNING 'errand: what a transaction handed in cannot be taken in and was set aside: number % in the table set_aside of schema %', _n, @schema USING DETAIL = _error,
    HINT = 'errand doctor shows it, and how to take it in again.';
END $$;

-- For people, when what was in its way is gone: under a new number, behind what was handed in since. Answers whether there was one.
CREATE FUNCTION @.take_in_again(_n bigint) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ${keepFloorDown("inbox")};
  INSERT INTO @.inbox (kind, body) SELECT s.kind, s.body FROM @.set_aside s WHERE s.n = _n;
  DELETE FROM @.set_aside s WHERE s.n = _n;
  RETURN FOUND;
END $$;
`;
