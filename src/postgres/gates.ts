/** Limits and resources of whole tasks (G9): what running jobs hold of them, and what room a call has left. Their numbers stand in notes. */
import { limitPrefix, resourcePrefix } from "../core/notes.ts";

export const gateFunctions: string = `
-- By primary key. Null: there is none.
CREATE FUNCTION @.limit_named(_name text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT n.value::jsonb FROM @.notes n WHERE n.key = '${limitPrefix}' || _name);
END $$;
CREATE FUNCTION @.capacity_of(_name text) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT (n.value::jsonb ->> 'capacity')::numeric FROM @.notes n WHERE n.key = '${resourcePrefix}' || _name);
END $$;

-- It is never held ahead, nor handed out in a row.
CREATE FUNCTION @.is_gated(_terms jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_array_length(_terms -> 'gates') > 0, false) OR coalesce(_terms -> 'needs' <> '{}', false)
$$;

-- By terms_running: as many as tasks have had terms.
CREATE FUNCTION @.running_under(_name text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT coalesce(sum(t.running), 0)::bigint FROM @.terms t WHERE t.running > 0 AND t.terms -> 'gates' ? _name);
END $$;
CREATE FUNCTION @.amount_in_use(_name text) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT coalesce(sum((t.terms -> 'needs' ->> _name)::numeric * t.running), 0) FROM @.terms t WHERE t.running > 0);
END $$;

-- Each name once, in order, so that the same terms are the same row. By UNIQUE (terms). Answers the number that the running jobs carry.
CREATE FUNCTION @.hand_out_gates(_terms jsonb, _jobs int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  _id int;
  _held jsonb := jsonb_build_object(
    'gates', coalesce((SELECT jsonb_agg(g.name ORDER BY g.name) FROM (SELECT DISTINCT jsonb_array_elements_text(_terms -> 'gates') AS name) g), '[]'),
    'needs', coalesce(_terms -> 'needs', '{}'));
BEGIN
  UPDATE @.terms t SET running = t.running + _jobs WHERE t.terms = _held RETURNING t.id INTO _id;
  IF _id IS NULL THEN INSERT INTO @.terms (terms, running) VALUES (_held, _jobs) RETURNING id INTO _id; END IF;
  RETURN _id;
END $$;

-- Jobs that were handed out under these terms run no more; others may have been passed over for what they held. By primary key.
CREATE FUNCTION @.give_gates_back(_terms int, _jobs int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF _terms IS NULL THEN RETURN; END IF;
  UPDATE @.terms t SET running = t.running - _jobs WHERE t.id = _terms;
  PERFORM @.tell_readied();
END $$;

-- Starts that count now. By primary key: about 1,000 rows at most.
CREATE FUNCTION @.starts_under(_name text, _every_ms bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT coalesce(sum(s.starts), 0)::bigint FROM @.gate_starts s WHERE s.name = _name AND s.at > @.now() - _every_ms);
END $$;

-- _jobs started under it. What counts no more is forgotten. By primary key.
CREATE FUNCTION @.record_starts(_name text, _every_ms bigint, _jobs int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _step bigint := greatest(1, _every_ms / 1000);
  _at bigint := (@.now() + _step - 1) / _step * _step;
BEGIN
  INSERT INTO @.gate_starts AS s (name, at, starts) VALUES (_name, _at, _jobs) ON CONFLICT (name, at) DO UPDATE SET starts = s.starts + excluded.starts;
  DELETE FROM @.gate_starts s WHERE s.name = _name AND s.at <= @.now() - _every_ms;
END $$;

-- A limit that is deleted, or counts something else now, forgets its starts. By primary key.
CREATE FUNCTION @.forget_all_starts(_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM @.gate_starts s WHERE s.name = _name;
END $$;

-- When the next may start; null: now, or never. By primary key.
CREATE FUNCTION @.free_at_of(_name text, _limit jsonb) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  _starts bigint := (_limit ->> 'starts')::numeric::bigint;
  _every_ms bigint := (_limit ->> 'everyMs')::numeric::bigint;
  _over bigint;
  _row record;
BEGIN
  IF _limit ? 'running' OR coalesce(_starts, 0) = 0 THEN RETURN NULL; END IF;
  _over := @.starts_under(_name, _every_ms) - _starts;
  IF _over < 0 THEN RETURN NULL; END IF;
  FOR _row IN SELECT s.at, s.starts FROM @.gate_starts s WHERE s.name = _name AND s.at > @.now() - _every_ms ORDER BY s.at LOOP
    _over := _over - _row.starts;
    IF _over < 0 THEN RETURN _row.at + _every_ms; END IF;
  END LOOP;
  RETURN NULL;
END $$;
`;
