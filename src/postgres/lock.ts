/** Locks with fences (G17): one line of tickets for each name. */
import { verbSettings } from "./transaction.ts";

/** All by UNIQUE (name, ticket) and tickets_pkey; those ahead are as many as wait for one lock. */
export const lockFunctions: string = `
CREATE FUNCTION @.verb_lock(_request jsonb, _stated bigint) RETURNS jsonb ${verbSettings} AS $$
DECLARE
  _answer jsonb;
BEGIN
  PERFORM @.begin_verb(_stated);
  PERFORM @.take_in_inbox();
  _answer := @.ask_for_lock(_request);
  RETURN jsonb_build_object('answer', _answer, 'isReadied', @.end_verb());
END $$;

CREATE FUNCTION @.verb_unlock(_grant jsonb, _stated bigint) RETURNS jsonb ${verbSettings} AS $$
DECLARE
  _is_held boolean;
BEGIN
  PERFORM @.begin_verb(_stated);
  PERFORM @.take_in_inbox();
  DELETE FROM @.tickets t WHERE t.name = _grant ->> 'name' AND t.ticket = _grant ->> 'ticket';
  _is_held := FOUND;
  -- Whoever waits for it may ask again.
  IF _is_held THEN PERFORM @.tell_readied(); END IF;
  RETURN jsonb_build_object('answer', _is_held, 'isReadied', @.end_verb());
END $$;

CREATE FUNCTION @.ask_for_lock(_request jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _name text := _request ->> 'name';
  _asking record := @.process_asking(_request ->> 'process');
  _process int;
  _place bigint;
  _fence bigint;
  _ahead bigint;
  _permits int := coalesce((_request ->> 'permits')::int, 1);
  _others int;
BEGIN
  IF _request ->> 'mode' = 'write' THEN
    SELECT t.permits INTO _others FROM @.tickets t WHERE t.name = _name AND t.mode = 'write' AND t.permits <> _permits LIMIT 1;
    IF FOUND THEN RETURN jsonb_build_object('refusal', 'permits-conflict', 'name', _name, 'asked', _permits, 'others', _others); END IF;
  END IF;
  IF _asking._is_lost THEN RETURN jsonb_build_object('refusal', 'lease-lost', 'process', _request ->> 'process', 'name', _name); END IF;
  _process := @.lease_to(_asking._id, _request ->> 'process', @.ms(_request, 'leaseMs'));
  SELECT t.place, t.fence INTO _place, _fence FROM @.tickets t WHERE t.name = _name AND t.ticket = _request ->> 'ticket';
  IF _fence IS NOT NULL THEN RETURN @.granted(_fence); END IF;
  IF _place IS NULL THEN
    INSERT INTO @.tickets AS t (name, ticket, process, mode, permits)
    VALUES (_name, _request ->> 'ticket', _process, _request ->> 'mode', _permits) RETURNING t.place INTO _place;
  END IF;
  _ahead := @.ahead_of(_request, _place);
  IF _ahead > 0 THEN RETURN jsonb_build_object('is', 'waiting', 'ahead', _ahead, 'now', @.now()); END IF;
  _fence := @.take_fence(@.ms(_request, 'lastFence'));
  UPDATE @.tickets t SET fence = _fence WHERE t.place = _place;
  RETURN @.granted(_fence);
END $$;

CREATE FUNCTION @.granted(_fence bigint) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN jsonb_build_object('is', 'granted', 'fence', _fence, 'now', @.now());
END $$;

-- How many tickets must go before this one is granted. A reader waits for the writers ahead of it; a writer for all, but for permits - 1 writers.
CREATE FUNCTION @.ahead_of(_request jsonb, _place bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  _writers bigint;
  _readers bigint;
BEGIN
  SELECT count(*) FILTER (WHERE t.mode = 'write'), count(*) FILTER (WHERE t.mode = 'read') INTO _writers, _readers
    FROM @.tickets t WHERE t.name = _request ->> 'name' AND t.place < _place;
  IF _request ->> 'mode' = 'read' THEN RETURN _writers; END IF;
  RETURN _readers + greatest(0, _writers - coalesce((_request ->> 'permits')::int, 1) + 1);
END $$;
`;
