/** Notes: small versioned documents, compared and set in the atom of `enqueue`. */
import { limitPrefix, replayPrefix, resourcePrefix, subscriptionPrefix } from "../core/notes.ts";
import { verbSettings } from "./transaction.ts";

export const noteFunctions: string = `
-- By primary key. Its key is null where there is none.
CREATE FUNCTION @.read_note(_key text) RETURNS @.notes LANGUAGE plpgsql STABLE AS $$
DECLARE
  _note @.notes;
BEGIN
  SELECT n.* INTO _note FROM @.notes n WHERE n.key = _key;
  RETURN _note;
END $$;

CREATE FUNCTION @.note_row(_note @.notes) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN jsonb_build_object('key', _note.key, 'version', _note.version, 'value', _note.value, 'writtenAt', _note.written_at);
END $$;

CREATE FUNCTION @.verb_read_note(_key text, _stated bigint) RETURNS jsonb ${verbSettings} AS $$
DECLARE
  _note @.notes;
BEGIN
  IF NOT @.see_inbox(_stated) THEN RETURN '{"isReadied": true}'; END IF;
  PERFORM @.begin_look(_stated);
  _note := @.read_note(_key);
  RETURN jsonb_build_object('answer', CASE WHEN _note.key IS NOT NULL THEN @.note_row(_note) END, 'isReadied', false);
END $$;

-- Why these writes cannot stand, if so: a note is not in the version that its writer believes in. Each write sees those before it.
CREATE FUNCTION @.note_conflict(_writes jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _versions jsonb := '{}';
  _write jsonb;
  _key text;
  _version bigint;
BEGIN
  FOR _write IN SELECT w.it FROM jsonb_array_elements(_writes) WITH ORDINALITY w (it, n) ORDER BY w.n LOOP
    _key := _write ->> 'key';
    _version := coalesce((_versions ->> _key)::bigint, (@.read_note(_key)).version, 0);
    IF (_write ->> 'ifVersion')::bigint <> _version THEN
      RETURN jsonb_build_object('refusal', 'note-conflict', 'key', _key, 'version', _version, 'ifVersion', _write -> 'ifVersion');
    END IF;
    _versions := _versions || jsonb_build_object(_key, CASE WHEN _write ->> 'value' IS NULL THEN 0 ELSE _version + 1 END);
  END LOOP;
  RETURN NULL;
END $$;

-- With what follows from it: a new subscription's history, the end of a pause.
CREATE FUNCTION @.write_note(_write jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _key text := _write ->> 'key';
  _value text := _write ->> 'value';
  _is_first boolean := (@.read_note(_key)).key IS NULL;
BEGIN
  PERFORM @.set_note(_key, _value);
  IF starts_with(_key, '${subscriptionPrefix}') THEN
    IF _value IS NULL THEN
      PERFORM @.set_note('${replayPrefix}' || substr(_key, ${subscriptionPrefix.length + 1}), NULL);
    ELSIF _is_first THEN
      PERFORM @.start_replay(_value);
    END IF;
  END IF;
  IF starts_with(_key, '${limitPrefix}') AND NOT coalesce(_value::jsonb ? 'starts', false) THEN
    PERFORM @.forget_all_starts(substr(_key, ${limitPrefix.length + 1}));
  END IF;
  -- It may have been a pause that ended, or a limit that leaves more room now.
  IF _value IS NULL OR starts_with(_key, '${limitPrefix}') OR starts_with(_key, '${resourcePrefix}') THEN PERFORM @.tell_readied(); END IF;
END $$;

-- By primary keys. What tells that notes changed is written with them, so that nobody hears of it before they can be read.
CREATE FUNCTION @.set_note(_key text, _value text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF _value IS NULL THEN
    DELETE FROM @.notes n WHERE n.key = _key;
  ELSE
    INSERT INTO @.notes AS n (key, version, value, written_at, event)
    VALUES (_key, 1, _value, @.now(), CASE WHEN starts_with(_key, '${subscriptionPrefix}') THEN @.seal(_value) ->> 'event' END)
    ON CONFLICT (key) DO UPDATE SET version = n.version + 1, value = excluded.value, written_at = excluded.written_at, event = excluded.event;
  END IF;
  INSERT INTO @.meta AS m (key, value) VALUES ('notes_version', '1') ON CONFLICT (key) DO UPDATE SET value = m.value::bigint + 1;
END $$;

CREATE FUNCTION @.notes_version() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT coalesce((SELECT m.value::bigint FROM @.meta m WHERE m.key = 'notes_version'), 0));
END $$;

-- Keys of the pauses. By primary key.
CREATE FUNCTION @.pauses() RETURNS text[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT ARRAY(SELECT n.key FROM @.notes n WHERE n.key >= 'pause/' AND n.key < 'pause0' ORDER BY n.key));
END $$;
`;
