/** Renews all that a process holds, in one write, and tells it what it must know. Takes no lock, so that no beat ever waits for the store's other work. */
import { verbSettings } from "./transaction.ts";

const cancelledMax = 1_000;

export const beatFunctions: string = `
-- An idle process writes nothing; one that is not known holds nothing, so it lost nothing. By primary keys, running_process, claims_process, tickets_process, running_cancelling.
CREATE FUNCTION @.verb_beat(_process text, _lease_ms bigint, _stated bigint) RETURNS jsonb ${verbSettings} AS $$
DECLARE
  _now bigint := @.begin_look(_stated);
  _id int;
  _is_lost boolean;
  _cancelled jsonb := '[]';
BEGIN
  SELECT p.id, p.is_lost INTO _id, _is_lost FROM @.processes p WHERE p.process = _process;
  IF NOT _is_lost AND (@.holds_jobs(_id) OR EXISTS (SELECT 1 FROM @.tickets t WHERE t.process = _id)) THEN
    -- It may be lost at this very moment.
    UPDATE @.processes p SET lease_until = _now + _lease_ms WHERE p.id = _id AND NOT p.is_lost RETURNING false INTO _is_lost;
    _is_lost := coalesce(_is_lost, true);
  END IF;
  IF NOT _is_lost THEN
    SELECT coalesce(jsonb_agg(j.id ORDER BY q.seq), '[]') INTO _cancelled
      FROM (SELECT r.seq FROM @.running r WHERE r.process = _id AND r.is_cancelling AND NOT r.is_settled ORDER BY r.seq LIMIT ${cancelledMax}) q
      CROSS JOIN LATERAL (SELECT j.id FROM @.jobs j WHERE j.seq = q.seq OFFSET 0) j;
  END IF;
  RETURN jsonb_build_object('answer', jsonb_build_object('now', _now, 'isLost', coalesce(_is_lost, false), 'cancelled', _cancelled,
    'notesVersion', @.notes_version(), 'era', @.era()), 'isReadied', false);
END $$;
`;
