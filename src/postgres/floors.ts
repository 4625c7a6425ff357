/**
 * How far a look for the first of a line may pass over its beginning. While somebody's snapshot is pinned, PostgreSQL keeps every row that was taken out since, and
 * each look would walk over them all. So from time to time it is noted below what nobody stands: of the lines of `ready`, of `scheduled`, of the inbox, and of `counts`.
 *
 * Jobs are stored while claims run. Whoever puts something there holds a lock of that table, shared with others who do, until its transaction ends, and then notes a
 * lower floor where it stands below. A floor is raised only by one that gets this lock for itself alone, and so sees all there is. Nobody waits: who does not get it
 * lets it be. Notes are only added, and the newest are read, so that those that are gone are not walked over either.
 */
import { triedFrom } from "./readyPlace.ts";

/** Of so many, about: as many as are walked over without a floor. */
const raisedEvery = 1_000;

/** Beside the places in `ready`. */
export const scheduledPlace = 0;
export const inboxPlace = 2_000_000_000;
export const countsPlace = 2_000_000_001;

/** Where no floor was noted. */
const bottom = "(-9007199254740991)";

const lock = (table: string): string => `hashtextextended(@schema || ' ${table}', 716)`;

/** The lowest since it was raised. */
export const floorOf = (place: string | number): string =>
  `coalesce((SELECT min(f.low) FROM @.floors f WHERE f.place = ${place} AND f.n >= (SELECT g.n FROM @.floors g WHERE g.place = ${place} AND g.is_raised ORDER BY g.n DESC LIMIT 1)), ${bottom})`;

/** Of a row r of `ready`: it stands at that place. By primary key, from the floor on. */
export const standsAt = (place: string): string => `r.line = ${place} AND r.urgency >= ${floorOf(place)}`;

/** Without the write lock, for rows whose own number is the place, and always larger than those before: before it is taken. */
export const keepFloorDown = (table: string): string => `pg_advisory_xact_lock_shared(${lock(table)})`;

/** A transaction that does not see what others have committed since it began notes its own low whatever it sees. By floors_n. */
const lowering = (table: string, place: string | number, low: string): string => `
CREATE FUNCTION @.lower_floors_of_${table}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM ${keepFloorDown(table)};
  INSERT INTO @.floors (place, low, is_raised)
  SELECT c.place, c.low, false FROM (SELECT n.place, min(n.low) AS low FROM (SELECT ${place} AS place, ${low} AS low FROM come) n GROUP BY n.place) c
  WHERE current_setting('transaction_isolation') <> 'read committed' OR c.low < ${floorOf("c.place")};
  RETURN NULL;
END $$;
CREATE TRIGGER lower_floors AFTER INSERT ON @.${table} REFERENCING NEW TABLE AS come FOR EACH STATEMENT EXECUTE FUNCTION @.lower_floors_of_${table}();
`;

export const floorFunctions: string = `${lowering("ready", "line", "urgency")}${lowering("scheduled", scheduledPlace, "due_at")}
-- By floors_n.
CREATE FUNCTION @.floor_of(_place int) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ${floorOf("_place")};
END $$;

-- One of these that were taken out is the last of its thousand, and nobody is putting anything in; what was put in before is seen.
CREATE FUNCTION @.may_raise_floors(_table text, _taken bigint[]) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM unnest(_taken) t (n) WHERE t.n % ${raisedEvery} = 0) AND current_setting('transaction_isolation') = 'read committed'
    AND pg_try_advisory_xact_lock(hashtextextended(@schema || ' ' || _table, 716));
END $$;

-- By floors_n, floors_raised.
CREATE FUNCTION @.raise_floor(_place int, _low bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _was bigint := (SELECT f.n FROM @.floors f WHERE f.place = _place AND f.is_raised ORDER BY f.n DESC LIMIT 1);
  _n bigint;
BEGIN
  INSERT INTO @.floors (place, low, is_raised) VALUES (_place, _low, true) RETURNING n INTO _n;
  DELETE FROM @.floors f WHERE f.place = _place AND f.n >= coalesce(_was, 0) AND f.n < _n;
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
