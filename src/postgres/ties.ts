/** What a verb has yet to look at because of joins and of what comes after what: gathered while it runs, worked off in its aftermath. */
import { flags } from "./flags.ts";

const hasTies = flags.hasJoin | flags.hasFollowers;

/** \`endings\`: changes of how a job has ended, of which the first and the last count. \`ended\`: what ended, and how far those that came after it were looked at. */
export const tieFunctions: string = `
-- Null: it has not ended.
CREATE FUNCTION @.note_ending(_seq bigint, _flags int, _was text, _is text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF _was IS DISTINCT FROM _is THEN PERFORM @.append('endings', concat(_seq, ':', _flags, ':', _was, ':', _is)); END IF;
END $$;

-- Of many; those that nobody must hear of are passed over.
CREATE FUNCTION @.note_endings(_seqs bigint[], _flags int[], _was text, _is text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _items text;
BEGIN
  IF _was IS NOT DISTINCT FROM _is THEN RETURN; END IF;
  SELECT string_agg(concat(e.seq, ':', e.flags, ':', _was, ':', _is), chr(30) ORDER BY e.nth) INTO _items
    FROM unnest(_seqs, _flags) WITH ORDINALITY e (seq, flags, nth) WHERE e.flags & ${hasTies} <> 0;
  IF _items IS NOT NULL THEN PERFORM @.append('endings', _items); END IF;
END $$;

-- From the beginning, whatever was walked before.
CREATE FUNCTION @.begin_pass(_kind int, _node bigint, _cursor bigint DEFAULT 0) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM @.end_pass(_kind, _node);
  PERFORM @.append('passes', concat_ws(':', _kind, _node, _cursor));
END $$;

CREATE FUNCTION @.end_pass(_kind int, _node bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _cursor bigint := @.cursor_of_pass(_kind, _node);
BEGIN
  IF _cursor IS NOT NULL THEN PERFORM @.ungather('passes', concat_ws(':', _kind, _node, _cursor)); END IF;
END $$;

-- Null: there is no such pass in this verb.
CREATE FUNCTION @.cursor_of_pass(_kind int, _node bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  _passes text := current_setting('errand.bag_passes', true);
  _at int;
BEGIN
  _at := strpos(_passes, concat(chr(30), _kind, ':', _node, ':'));
  IF coalesce(_at, 0) = 0 THEN RETURN NULL; END IF;
  RETURN split_part(split_part(substr(_passes, _at + 1), chr(30), 1), ':', 3)::bigint;
END $$;
`;
