/** A job as `find` answers it. */
import { suspectsBeforeAlone } from "../core/defaults.ts";
import { runningOf } from "./claims.ts";
import { completionOf } from "./completions.ts";
import { flags } from "./flags.ts";
import { readyPlaceOf } from "./readyPlace.ts";

export const rowFunctions: string = `
-- In the order of _seqs. By primary keys: each table is asked by itself for each row (OFFSET 0), whatever the planner believes of its size.
CREATE FUNCTION @.job_rows(_seqs bigint[]) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT coalesce(json_agg(jsonb_strip_nulls(jsonb_build_object(
      'id', j.id, 'task', l.task, 'queue', l.queue, 'state', s.state, 'payload', j.payload, 'headStartMs', j.head_start, 'urgency', j.urgency,
      'enqueuedAt', j.enqueued_at, 'dueAt', j.due_at,
      -- The claim in hand, and that which completed it, are not in the row.
      'attempts', j.attempts + CASE WHEN s.state = 'completed' THEN 1 ELSE 0 END,
      'starts', j.starts + CASE WHEN s.state IN ('running', 'completed') THEN 1 ELSE 0 END,
      'suspects', CASE WHEN s.state = 'completed' THEN 0 ELSE j.suspects END,
      'joins', CASE WHEN j.flags & ${flags.hasJoin} <> 0 THEN @.joins_of(j.seq) END,
      'keyLimits', j.extra -> 'keyLimits', 'after', j.extra -> 'after',
      'waits', CASE s.state
        WHEN 'scheduled' THEN @.waits(coalesce(j.delayed_by, 'time'), @.iso(j.due_at), s.since)
        WHEN 'blocked' THEN (SELECT @.waits(b._reason, coalesce(b._on, ''), s.since) FROM @.blocked_by(j.seq, j.flags, j.lane) b)
        WHEN 'parked' THEN @.waits('parked', coalesce(j.lane, ''), s.since)
        WHEN 'ready' THEN @.waits(CASE WHEN j.suspects < ${suspectsBeforeAlone} THEN 'worker' ELSE 'alone' END, l.queue, s.since) END,
      'claim', CASE WHEN r.seq IS NOT NULL THEN jsonb_build_object('process', p.process, 'claim', r.claim, 'fence', r.fence, 'startedAt', r.started_at,
        'leaseUntil', p.lease_until, 'isCancelling', r.is_cancelling) END,
      'isPoison', CASE WHEN j.is_poison THEN true END, 'lane', j.lane, 'ifDead', j.if_dead, 'startBy', j.start_by, 'unique', j.unique_key,
      'endedAt', CASE WHEN @.is_ended(s.state) THEN coalesce(d.ended_at, j.ended_at) END, 'reason', j.reason, 'checkpoint', j.checkpoint, 'result', j.result,
      'expecting', j.extra -> 'expecting', 'version', j.extra -> 'version', 'from', j.extra -> 'from', 'slotAt', j.extra -> 'slot' -> 'at'))
    || jsonb_build_object('history', coalesce(j.history, '[]')) ORDER BY e.n), '[]')
  FROM unnest(_seqs) WITH ORDINALITY e (seq, n)
    CROSS JOIN LATERAL (SELECT j.* FROM @.jobs j WHERE j.seq = e.seq OFFSET 0) j
    CROSS JOIN LATERAL (SELECT l.* FROM @.lines l WHERE l.id = j.line OFFSET 0) l
    ${runningOf}
    ${completionOf("j.seq", "j.state = 0 AND r.seq IS NULL")}
    LEFT JOIN LATERAL (SELECT p.* FROM @.processes p WHERE p.id = r.process OFFSET 0) p ON true
    LEFT JOIN LATERAL (SELECT y.since FROM @.ready y WHERE y.line = ${readyPlaceOf("j")} AND y.urgency = j.urgency AND y.seq = j.seq OFFSET 0) y ON true
    LEFT JOIN LATERAL (SELECT m.seq FROM @.members m WHERE m.lane = j.lane AND m.place = 0 AND m.seq = j.seq OFFSET 0) m ON true
    CROSS JOIN LATERAL (
      SELECT @.state_from(j.state, r.seq IS NOT NULL, d.seq IS NOT NULL, m.seq IS NOT NULL) AS state, coalesce(y.since, j.since, j.enqueued_at) AS since
    ) s);
END $$;

-- Its own first. By joined_seq, then primary keys.
CREATE FUNCTION @.joins_of(_seq bigint) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT jsonb_agg(n.id ORDER BY m.nth) FROM @.joined m CROSS JOIN LATERAL (SELECT n.id FROM @.joins n WHERE n.seq = m.joined OFFSET 0) n WHERE m.seq = _seq);
END $$;

CREATE FUNCTION @.waits(_reason text, _on text, _since bigint) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_build_object('reason', _reason, 'on', _on, 'since', _since)
$$;
`;
