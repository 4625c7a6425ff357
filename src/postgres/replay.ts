/** History for new subscriptions: a job for each stored event, oldest first, with the ids of the live fan-out. */
import { replayPrefix, subscriptionPrefix } from "../core/notes.ts";

/** How many are looked at in one pass. */
const replaysMax = 1_000;
/** Payloads are large. */
const atOnceMax = 100;

/** Above all keys that begin with it. */
const replaysEnd = `${replayPrefix.slice(0, -1)}0`;

export const replayFunctions: string = `
-- upTo is the last event before the live fan-out: the two meet there without a gap or a double. By primary key: the last.
CREATE FUNCTION @.start_replay(_value text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _subscription json := @.seal(_value);
  _up_to bigint := (SELECT e.seq FROM @.events e ORDER BY e.seq DESC LIMIT 1);
BEGIN
  IF _subscription ->> 'since' <> 'beginning' OR _up_to IS NULL THEN RETURN; END IF;
  PERFORM @.save_replay(_subscription ->> 'name', _subscription ->> 'event', 0, _up_to);
END $$;

CREATE FUNCTION @.save_replay(_subscription text, _event text, _after bigint, _up_to bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.set_note('${replayPrefix}' || _subscription,
    '{"subscription":' || @.json_text(_subscription) || ',"event":' || @.json_text(_event) || ',"after":"' || _after || '","upTo":' || _up_to || '}');
END $$;

-- By primary key.
CREATE FUNCTION @.is_replaying() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT EXISTS (SELECT 1 FROM @.notes n WHERE n.key >= '${replayPrefix}' AND n.key < '${replaysEnd}'));
END $$;

-- Goes on with every replay, _limit events in all.
CREATE FUNCTION @.replay(_limit int, OUT _replayed int, OUT _has_more boolean) LANGUAGE plpgsql AS $$
DECLARE
  _budget int := _limit;
  _value text;
  _done record;
BEGIN
  _replayed := 0;
  FOREACH _value IN ARRAY ARRAY(SELECT n.value FROM @.notes n WHERE n.key >= '${replayPrefix}' AND n.key < '${replaysEnd}' ORDER BY n.key LIMIT ${replaysMax}) LOOP
    EXIT WHEN _budget = 0;
    _done := @.replay_one(_value::jsonb, _budget);
    _replayed := _replayed + _done._made;
    _budget := _budget - _done._seen;
  END LOOP;
  _has_more := @.is_replaying();
END $$;

-- By events_name. One whose subscription was retired, or hears another event now, ends.
CREATE FUNCTION @.replay_one(_position jsonb, _limit int, OUT _made int, OUT _seen int) LANGUAGE plpgsql AS $$
DECLARE
  _name text := _position ->> 'subscription';
  _subscription @.notes := @.read_note('${subscriptionPrefix}' || _name);
  _up_to bigint := (_position ->> 'upTo')::bigint;
  _after bigint := (_position ->> 'after')::bigint;
  _most int;
  _found record;
BEGIN
  _made := 0;
  _seen := 0;
  IF _subscription.event = _position ->> 'event' THEN
    LOOP
      _most := least(${atOnceMax}, _limit - _seen);
      SELECT array_agg(@.event_job(q.event, _subscription.value) ORDER BY (q.event).seq) AS works, count(*) AS events, max((q.event).seq) AS last INTO _found
        FROM (SELECT e AS event FROM @.events e WHERE e.name = _subscription.event AND e.seq > _after AND e.seq <= _up_to ORDER BY e.seq LIMIT _most) q;
      EXIT WHEN _found.events = 0;
      _made := _made + @.store_event_jobs(_found.works);
      _seen := _seen + _found.events;
      _after := _found.last;
      EXIT WHEN _found.events < _most OR _seen = _limit;
    END LOOP;
  END IF;
  IF _seen > 0 AND _seen = _limit THEN
    PERFORM @.save_replay(_name, _subscription.event, _after, _up_to);
  ELSE
    PERFORM @.set_note('${replayPrefix}' || _name, NULL);
  END IF;
END $$;
`;
