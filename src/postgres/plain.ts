/** Jobs without lane, unique key, deadline, join, predecessor or limit: stored many to a statement, without the write lock. */
import type { NewJob, NewWork } from "../core/engine.ts";
import { flags } from "./flags.ts";
import { keepFloorDown } from "./floors.ts";
import { codeOf } from "./numbers.ts";

export function isPlain(work: NewWork): work is NewJob {
  if (work.kind !== "job" || work.lane !== undefined || work.unique !== undefined || work.startBy !== undefined || work.startWithinMs !== undefined)
    return false;
  return work.join === undefined && isNone(work.after) && isNone(work.keyLimits) && work.lease === undefined;
}

function isNone(list: readonly unknown[] | undefined): boolean {
  return list === undefined || list.length === 0;
}

export const plainFunctions: string = `
-- Answers the state codes, in order; null, and nothing is stored, where one of the ids is known.
-- Two that store the same new id at once: the second waits for the first, and fails with 23505.
CREATE FUNCTION @.store_plain(_works json, _now bigint) RETURNS smallint[] LANGUAGE plpgsql AS $$
DECLARE
  _states smallint[];
BEGIN
  -- By jobs_id, and by primary key: what callers' transactions handed in.
  IF EXISTS (SELECT 1 FROM json_array_elements(_works) e (work) WHERE (SELECT j.seq FROM @.jobs j WHERE j.id = e.work ->> 'id') IS NOT NULL
    OR (SELECT p.n FROM @.promised p WHERE p.name = 'job ' || (e.work ->> 'id')) IS NOT NULL) THEN RETURN NULL; END IF;
  PERFORM ${keepFloorDown("counts")};
  WITH given AS (
    SELECT w.*, greatest(_now, coalesce(w."dueAt"::bigint, _now + coalesce(w."delayMs"::bigint, 0))) AS due, nextval('@.seqs') AS seq,
      row_number() OVER () AS nth
    FROM json_to_recordset(_works) AS w (id text, content text, "rememberMs" numeric, task text, queue text, payload text, "headStartMs" numeric, "delayMs" numeric,
      "dueAt" numeric, keep json, expecting text, version int, "from" json, slot json)
  ), lined AS (
    SELECT q.queue, q.task, @.line_of(q.queue, q.task) AS line FROM (SELECT DISTINCT g.queue, g.task FROM given g) q
  ), kept AS (
    SELECT q.keep, @.keep_of(q.keep::jsonb) AS id FROM (SELECT DISTINCT g.keep::text AS keep FROM given g) q
  ), stored AS (
    INSERT INTO @.jobs (seq, id, line, keep, flags, payload, content, enqueued_at, urgency, head_start, due_at, remember_until, extra, state, since)
    SELECT g.seq, g.id, l.line, k.id, CASE WHEN g."rememberMs" > 0 THEN ${flags.isRemembered} ELSE 0 END, g.payload, g.content, _now, g.due - g."headStartMs"::bigint,
      g."headStartMs"::bigint, g.due, CASE WHEN g."rememberMs" > 0 THEN _now + g."rememberMs"::bigint END,
      CASE WHEN g.expecting IS NULL AND g.version IS NULL AND g."from" IS NULL AND g.slot IS NULL THEN NULL
        ELSE jsonb_strip_nulls(jsonb_build_object('expecting', g.expecting, 'version', g.version, 'from', g."from", 'slot', g.slot)) END,
      CASE WHEN g.due > _now THEN ${codeOf("scheduled")} ELSE 0 END, _now
    FROM given g JOIN lined l ON l.queue = g.queue AND l.task = g.task JOIN kept k ON k.keep = g.keep::text ORDER BY g.nth
    RETURNING seq, line, urgency, due_at, flags, state
  ), readied AS (
    INSERT INTO @.ready (line, urgency, seq, flags) SELECT s.line, s.urgency, s.seq, s.flags FROM stored s WHERE s.state = 0
  ), delayed AS (
    INSERT INTO @.scheduled (due_at, seq) SELECT s.due_at, s.seq FROM stored s WHERE s.state <> 0
  ), counted AS (
    INSERT INTO @.counts (line, state, jobs)
    SELECT s.line, CASE s.state WHEN 0 THEN ${codeOf("ready")} ELSE s.state END, count(*) FROM stored s GROUP BY 1, 2
  )
  SELECT array_agg(s.state ORDER BY s.seq) INTO _states FROM stored s;
  RETURN _states;
END $$;
`;
