/** Plain jobs that differ in id, payload and content alone: columns instead of objects, and ids that nobody else can have, so that nothing is looked up. */
import type { NewJob, NewWork } from "../core/engine.ts";
import type { Value } from "./client.ts";
import { keepFloorDown } from "./floors.ts";
import { codeOf } from "./numbers.ts";
import { isPlain } from "./plain.ts";
import { durably, verbSettings } from "./transaction.ts";

export const alikeFunctions: string = `
-- Answers the state code of all; fails with 23505 where one of the ids is known.
CREATE FUNCTION @.verb_enqueue_alike(_ids text[], _contents text[], _payloads text[], _terms json, _stated bigint) RETURNS json ${verbSettings} AS $$
DECLARE
  _now bigint := @.time_of(_stated);
  _line int := @.line_of(_terms ->> 'queue', _terms ->> 'task');
  _keep int := @.keep_of((_terms -> 'keep')::jsonb);
  _head_start bigint := (_terms ->> 'headStartMs')::numeric;
  _due bigint := greatest(_now, coalesce((_terms ->> 'dueAt')::numeric::bigint, _now + coalesce((_terms ->> 'delayMs')::numeric::bigint, 0)));
  _state smallint := CASE WHEN _due > _now THEN ${codeOf("scheduled")} ELSE 0 END;
  _extra jsonb := CASE WHEN _terms ->> 'version' IS NOT NULL THEN jsonb_build_object('version', _terms -> 'version') END;
  _seqs bigint[];
BEGIN
  PERFORM ${durably}, ${keepFloorDown("counts")};
  IF _now > (SELECT c.last_value FROM @.clock c) THEN PERFORM setval('@.clock', _now); END IF;
  WITH stored AS (
    INSERT INTO @.jobs (seq, id, line, keep, flags, payload, content, enqueued_at, urgency, head_start, due_at, extra, state, since)
    SELECT nextval('@.seqs'), u.id, _line, _keep, 0, u.payload, u.content, _now, _due - _head_start, _head_start, _due, _extra, _state, _now
    FROM unnest(_ids, _payloads, _contents) u (id, payload, content) RETURNING seq
  ) SELECT array_agg(s.seq) INTO _seqs FROM stored s;
  IF _state = 0 THEN
    INSERT INTO @.ready (line, urgency, seq, flags) SELECT _line, _due - _head_start, s.seq, 0 FROM unnest(_seqs) s (seq);
  ELSE
    INSERT INTO @.scheduled (due_at, seq) SELECT _due, s.seq FROM unnest(_seqs) s (seq);
  END IF;
  INSERT INTO @.counts (line, state, jobs) VALUES (_line, CASE _state WHEN 0 THEN ${codeOf("ready")} ELSE _state END, cardinality(_seqs));
  RETURN json_build_object('answer', _state, 'isReadied', true);
END $$;
`;

/** The values of verb_enqueue_alike; undefined: they are not alike. */
export function columnsOf(works: readonly NewWork[]): Value[] | undefined {
  const [first] = works;
  if (first === undefined || !isBare(first)) return undefined;
  const { task, queue, keep, headStartMs, delayMs, dueAt, version } = first;
  if (!works.every((work) => work === first || (isBare(work) && isAlike(work, first)))) return undefined;
  const jobs = works as readonly NewJob[];
  const terms = JSON.stringify({ task, queue, keep, headStartMs, delayMs, dueAt, version });
  return [jobs.map(({ id }) => id), jobs.map(({ content }) => content), jobs.map(({ payload }) => payload), terms];
}

function isBare(work: NewWork): work is NewJob {
  return isPlain(work) && work.rememberMs === 0 && work.expecting === undefined && work.from === undefined && work.slot === undefined;
}

function isAlike(a: NewJob, b: NewJob): boolean {
  return (
    a.task === b.task &&
    a.queue === b.queue &&
    a.headStartMs === b.headStartMs &&
    a.delayMs === b.delayMs &&
    a.dueAt === b.dueAt &&
    a.version === b.version &&
    (a.keep === b.keep ||
      (a.keep.completed === b.keep.completed && a.keep.skipped === b.keep.skipped && a.keep.cancelled === b.keep.cancelled && a.keep.dead === b.keep.dead))
  );
}
