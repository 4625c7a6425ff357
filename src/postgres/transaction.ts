/**
 * What every verb begins and ends with. A verb is one function, called in one round trip: it takes the store's write lock, an advisory lock that ends with its
 * transaction, so that a lock is never held across the network, and no caller's transaction ever holds it.
 *
 * What a verb gathers while it runs stands in settings that are local to its transaction: lists of short texts, each item once, in the order of coming.
 * They leave no rows behind, work through transaction poolers, and roll back with a savepoint.
 */

/** What is answered survives a crash, whatever the role says. Who waits for replicas to show it as well goes on doing so. */
export const durably: string =
  "set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true)";

export const transactionFunctions: string = `
-- The store's time: the server's, never going back; or the one that a virtual clock states. A standby tells none: it lags, so what it answers is no answer,
-- and to those who only look it would be a store in which nothing happens.
CREATE FUNCTION @.time_of(stated bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF pg_is_in_recovery() THEN RAISE read_only_sql_transaction USING MESSAGE = 'the server is a standby'; END IF;
  RETURN greatest(coalesce(stated, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint), (SELECT last_value FROM @.clock));
END $$;

-- Takes the write lock and answers the store's time. Everything gathered is empty then.
CREATE FUNCTION @.begin_verb(stated bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  now bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(@schema, 714));
  PERFORM ${durably};
  PERFORM @.forget_gathered();
  now := @.time_of(stated);
  IF now > (SELECT last_value FROM @.clock) THEN PERFORM setval('@.clock', now); END IF;
  PERFORM set_config('errand.now', now::text, true);
  RETURN now;
END $$;

-- For what only reads: no lock, nothing is written.
CREATE FUNCTION @.begin_look(stated bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  now bigint := @.time_of(stated);
BEGIN
  PERFORM set_config('errand.now', now::text, true);
  RETURN now;
END $$;

CREATE FUNCTION @.now() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT current_setting('errand.now')::bigint $$;

CREATE FUNCTION @.forget_gathered() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  bag text;
BEGIN
  -- The first verb of its transaction finds them empty.
  IF coalesce(current_setting('errand.is_begun', true), '') = '' THEN
    PERFORM set_config('errand.is_begun', '1', true);
    RETURN;
  END IF;
  FOREACH bag IN ARRAY ARRAY['lanes','counts','purges','readied','endings','ended','to_close','to_look_at','passes','joins_to_purge','given_up','join_counts','key_arrivals',
    'key_changes','numbers'] LOOP
    PERFORM set_config('errand.bag_' || bag, '', true);
  END LOOP;
END $$;

-- A list of texts, each once. Items hold no chr(30).
CREATE FUNCTION @.gather(bag text, item text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  items text := coalesce(current_setting('errand.bag_' || bag, true), '');
BEGIN
  IF strpos(items, chr(30) || item || chr(30)) > 0 THEN RETURN; END IF;
  PERFORM set_config('errand.bag_' || bag, CASE WHEN items = '' THEN chr(30) ELSE items END || item || chr(30), true);
END $$;

-- As gather, for many: each once, in the order of coming.
CREATE FUNCTION @.gather_all(_bag text, _items text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _all text[] := ARRAY(SELECT q.item FROM (SELECT u.item, min(u.nth) AS nth FROM unnest(@.gathered(_bag) || _items) WITH ORDINALITY u (item, nth) GROUP BY u.item) q ORDER BY q.nth);
BEGIN
  IF cardinality(_all) > 0 THEN PERFORM set_config('errand.bag_' || _bag, chr(30) || array_to_string(_all, chr(30)) || chr(30), true); END IF;
END $$;

-- As it comes, also what is there: for lists of changes.
CREATE FUNCTION @.append(bag text, item text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  items text := coalesce(current_setting('errand.bag_' || bag, true), '');
BEGIN
  PERFORM set_config('errand.bag_' || bag, CASE WHEN items = '' THEN chr(30) ELSE items END || item || chr(30), true);
END $$;

CREATE FUNCTION @.gathered(bag text) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  items text := current_setting('errand.bag_' || bag, true);
BEGIN
  IF coalesce(items, '') = '' THEN RETURN '{}'; END IF;
  -- Of an empty text string_to_array makes an empty list.
  IF length(items) = 2 THEN RETURN ARRAY['']; END IF;
  RETURN string_to_array(substr(items, 2, length(items) - 2), chr(30));
END $$;

CREATE FUNCTION @.is_gathered(bag text) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT coalesce(current_setting('errand.bag_' || bag, true), '') <> '' $$;
CREATE FUNCTION @.has_gathered(bag text, item text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT strpos(coalesce(current_setting('errand.bag_' || bag, true), ''), chr(30) || item || chr(30)) > 0
$$;

-- Answers the list and empties it.
CREATE FUNCTION @.take_gathered(bag text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  items text[] := @.gathered(bag);
BEGIN
  IF cardinality(items) > 0 THEN PERFORM set_config('errand.bag_' || bag, '', true); END IF;
  RETURN items;
END $$;

CREATE FUNCTION @.ungather(bag text, item text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  items text := replace(coalesce(current_setting('errand.bag_' || bag, true), ''), chr(30) || item || chr(30), chr(30));
BEGIN
  PERFORM set_config('errand.bag_' || bag, CASE WHEN items = chr(30) THEN '' ELSE items END, true);
END $$;

-- Numbers of the verb: what was done, for tidy and for its bounds. A setting each.
CREATE FUNCTION @.tally(name text, amount int DEFAULT 1) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT @.has_gathered('numbers', name) THEN
    PERFORM @.gather('numbers', name), set_config('errand.number_' || name, '0', true);
  END IF;
  PERFORM set_config('errand.number_' || name, (current_setting('errand.number_' || name)::int + amount)::text, true);
END $$;

CREATE FUNCTION @.tallied(name text) RETURNS int LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN @.has_gathered('numbers', name) THEN current_setting('errand.number_' || name)::int ELSE 0 END
$$;

-- Work may have become ready: listeners are to be told after the commit.
CREATE FUNCTION @.tell_readied() RETURNS void LANGUAGE sql AS $$ SELECT set_config('errand.bag_readied', '1', true) $$;

-- The next fence: above all that were given out, and above the largest the asker ever saw.
CREATE FUNCTION @.take_fence(last_fence bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.leap_if_promoted();
  RETURN setval('@.fence', greatest((SELECT last_value FROM @.fence), @.now() * 1000, last_fence) + 1);
END $$;

CREATE FUNCTION @.count_change(line int, state text, jobs int) RETURNS void LANGUAGE sql AS $$
  SELECT @.append('counts', line || ':' || @.code_of(state) || ':' || jobs)
$$;

-- An ended job is to be looked at again then.
CREATE FUNCTION @.purge_at(at bigint, seq bigint) RETURNS void LANGUAGE sql AS $$ SELECT @.append('purges', at || ':' || seq) $$;

-- Works off what follows from the verb, and writes what was gathered. Nothing else may be written after it. Answers whether work may have become ready.
CREATE FUNCTION @.end_verb() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.aftermath(1000);
  PERFORM @.leave_to_purge();
  PERFORM @.write_counts();
  PERFORM @.write_purges();
  RETURN @.is_gathered('readied');
END $$;

CREATE FUNCTION @.write_counts() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT @.is_gathered('counts') THEN RETURN; END IF;
  INSERT INTO @.counts (line, state, jobs)
  SELECT split_part(item, ':', 1)::int, split_part(item, ':', 2)::smallint, sum(split_part(item, ':', 3)::int)
  FROM unnest(@.take_gathered('counts')) item GROUP BY 1, 2 HAVING sum(split_part(item, ':', 3)::int) <> 0;
END $$;

CREATE FUNCTION @.write_purges() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT @.is_gathered('purges') THEN RETURN; END IF;
  INSERT INTO @.purges (at, seqs)
  SELECT split_part(item, ':', 1)::bigint, array_agg(split_part(item, ':', 2)::bigint) FROM unnest(@.take_gathered('purges')) item GROUP BY 1;
END $$;
`;

/** What every verb is declared with: plans that do not depend on statistics, which lag behind a queue's tables; and texts that are read as they are written. */
export const verbSettings: string = `LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET standard_conforming_strings = on`;
