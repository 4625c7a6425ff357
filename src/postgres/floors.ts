/**
 * How far a claim may pass over the beginning of a line. While somebody's snapshot is pinned, PostgreSQL keeps every row that was handed out since, and each look
 * for the first of a line would walk over them all. So from time to time it is noted below which urgency nobody stands.
 *
 * Jobs are stored while claims run. Whoever makes one ready holds a lock, shared with others who do, until its transaction ends, and then notes a lower floor where it
 * stands below. A floor is raised only by one that gets this lock for itself alone, and so sees all who are ready. Nobody waits: who does not get it lets it be.
 */
import { triedFrom } from "./readyPlace.ts";

/** Of so many jobs, about: as many as are walked over without a floor. */
const raisedEvery = 1_000;

/** Where no floor was noted. */
const bottom = "(-9007199254740991)";

const lock = "hashtextextended(@schema, 716)";

const floorOf = (place: string): string => `coalesce((SELECT f.urgency FROM @.floors f WHERE f.place = ${place} ORDER BY f.urgency LIMIT 1), ${bottom})`;

/** Of a row r of `ready`: it stands at that place. By primary key, from the floor on. */
export const standsAt = (place: string): string => `r.line = ${place} AND r.urgency >= ${floorOf(place)}`;

export const floorFunctions: string = `
-- Of several floors of a place the lowest counts. In a transaction that does not see what others have committed since it began, any may be too high. By floors_place.
CREATE FUNCTION @.lower_floors() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(${lock});
  INSERT INTO @.floors (place, urgency)
  SELECT c.line, c.urgency FROM (SELECT n.line, min(n.urgency) AS urgency FROM come n GROUP BY n.line) c
  WHERE current_setting('transaction_isolation') <> 'read committed'
    OR c.urgency < (SELECT f.urgency FROM @.floors f WHERE f.place = c.line ORDER BY f.urgency LIMIT 1);
  RETURN NULL;
END $$;
CREATE TRIGGER lower_floors AFTER INSERT ON @.ready REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION @.lower_floors();

-- By floors_place.
CREATE FUNCTION @.floor_of(_place int) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ${floorOf("_place")};
END $$;

-- Where one of the jobs that were handed out is the last of its thousand: what stands first in the lines is noted. By primary keys, floors_place.
CREATE FUNCTION @.raise_floors(_lines int[], _seqs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _place int;
  _first bigint;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM unnest(_seqs) s (seq) WHERE s.seq % ${raisedEvery} = 0) OR NOT pg_try_advisory_xact_lock(${lock}) THEN RETURN; END IF;
  FOR _place IN SELECT l.id + p.plus FROM unnest(_lines) l (id) CROSS JOIN (VALUES (0), (${triedFrom})) p (plus) ORDER BY 1 LOOP
    _first := (SELECT r.urgency FROM @.ready r WHERE ${standsAt("_place")} ORDER BY r.urgency, r.seq LIMIT 1);
    DELETE FROM @.floors f WHERE f.place = _place;
    INSERT INTO @.floors (place, urgency) VALUES (_place, coalesce(_first, @.now()));
  END LOOP;
END $$;
`;
