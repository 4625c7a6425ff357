/**
 * How far a look for the first of a line may pass over its beginning. While somebody's snapshot is pinned, PostgreSQL keeps every row that was taken out since, and
 * each look would walk over them all. So from time to time it is noted below what nobody stands: of the lines of `ready`, of `scheduled`, and of the inbox.
 *
 * Jobs are stored while claims run. Whoever puts something there holds a lock, shared with others who do, until its transaction ends, and then notes a lower floor where
 * it stands below. A floor is raised only by one that gets this lock for itself alone, and so sees all there is. Nobody waits: who does not get it lets it be.
 */
import { triedFrom } from "./readyPlace.ts";

/** Of so many, about: as many as are walked over without a floor. */
const raisedEvery = 1_000;

/** Beside the places in `ready`. */
export const scheduledPlace = 0;
export const inboxPlace = 2_000_000_000;

/** Where no floor was noted. */
const bottom = "(-9007199254740991)";

const lock = "hashtextextended(@schema, 716)";

export const floorOf = (place: string | number): string =>
  `coalesce((SELECT f.low FROM @.floors f WHERE f.place = ${place} ORDER BY f.low LIMIT 1), ${bottom})`;

/** Of a row r of `ready`: it stands at that place. By primary key, from the floor on. */
export const standsAt = (place: string): string => `r.line = ${place} AND r.urgency >= ${floorOf(place)}`;

/**
 * Of several floors of a place the lowest counts. A transaction that does not see what others have committed since it began cannot know them: where it sees one, there is
 * one still, and its own low counts beside that; where it sees none, there may be none, and its own low would be the first. By floors_place.
 */
const lowering = (table: string, place: string | number, low: string): string => `
CREATE FUNCTION @.lower_floors_of_${table}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(${lock});
  INSERT INTO @.floors (place, low)
  SELECT c.place, CASE WHEN EXISTS (SELECT 1 FROM @.floors f WHERE f.place = c.place) THEN c.low ELSE ${bottom} END
  FROM (SELECT n.place, min(n.low) AS low FROM (SELECT ${place} AS place, ${low} AS low FROM come) n GROUP BY n.place) c
  WHERE current_setting('transaction_isolation') <> 'read committed'
    OR c.low < (SELECT f.low FROM @.floors f WHERE f.place = c.place ORDER BY f.low LIMIT 1);
  RETURN NULL;
END $$;
CREATE TRIGGER lower_floors AFTER INSERT ON @.${table} REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION @.lower_floors_of_${table}();
`;

export const floorFunctions: string = `${lowering("ready", "line", "urgency")}${lowering("scheduled", scheduledPlace, "due_at")}${lowering("inbox", inboxPlace, "n")}
-- By floors_place.
CREATE FUNCTION @.floor_of(_place int) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ${floorOf("_place")};
END $$;

-- One of these that were taken out is the last of its thousand, and nobody is putting anything in; what was put in before is seen.
CREATE FUNCTION @.may_raise_floors(_taken bigint[]) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM unnest(_taken) t (n) WHERE t.n % ${raisedEvery} = 0) AND current_setting('transaction_isolation') = 'read committed'
    AND pg_try_advisory_xact_lock(${lock});
END $$;

-- By floors_place.
CREATE FUNCTION @.raise_floor(_place int, _low bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM @.floors f WHERE f.place = _place;
  INSERT INTO @.floors (place, low) VALUES (_place, _low);
END $$;

-- To where the first of these lines stands now. By primary keys.
CREATE FUNCTION @.raise_floors_of_lines(_lines int[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _place int;
BEGIN
  FOR _place IN SELECT l.id + p.plus FROM unnest(_lines) l (id) CROSS JOIN (VALUES (0), (${triedFrom})) p (plus) ORDER BY 1 LOOP
    PERFORM @.raise_floor(_place, coalesce((SELECT r.urgency FROM @.ready r WHERE ${standsAt("_place")} ORDER BY r.urgency, r.seq LIMIT 1), @.now()));
  END LOOP;
END $$;
`;
