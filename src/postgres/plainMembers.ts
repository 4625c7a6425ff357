/** Members of joins that are not open yet, and that are plain but for that and a lane, in which they take their place later: stored many to a statement. What a large batch is stored by. */
import { flags } from "./flags.ts";
import { joinStates } from "./join.ts";
import { codeOf } from "./numbers.ts";

const more = "{unique,startBy,startWithinMs,delayMs,dueAt,after,keyLimits,lease}";
const held = flags.hasJoin | flags.isHeld;

export const plainMemberFunctions: string = `
-- Answers the port's, in order; null, and nothing is stored, where one of them is more, or its id is known. By UNIQUE (id) and jobs_id.
CREATE FUNCTION @.store_plain_members(_works jsonb, _origin text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _now bigint := @.now();
  _answers jsonb;
  _lines int[];
  _joins bigint[];
  _by record;
BEGIN
  IF jsonb_array_length(_works) < 2 OR EXISTS (SELECT 1 FROM jsonb_array_elements(_works) w (value)
    WHERE w.value ->> 'kind' <> 'job' OR NOT w.value ? 'join' OR w.value ?| '${more}') THEN RETURN NULL; END IF;
  IF (SELECT count(DISTINCT w.value ->> 'id') FROM jsonb_array_elements(_works) w (value)) < jsonb_array_length(_works) THEN RETURN NULL; END IF;
  IF EXISTS (SELECT 1 FROM jsonb_array_elements(_works) w (value) WHERE EXISTS (SELECT 1 FROM @.jobs j WHERE j.id = w.value ->> 'id')) THEN RETURN NULL; END IF;
  IF EXISTS (SELECT 1 FROM (SELECT DISTINCT w.value ->> 'join' AS id FROM jsonb_array_elements(_works) w (value)) q WHERE NOT EXISTS (
    SELECT 1 FROM @.joins n WHERE n.id = q.id AND n.state < ${joinStates.open} AND NOT n.is_cancelled AND n.fate IS NULL)) THEN RETURN NULL; END IF;
  WITH given AS (
    SELECT w.value AS work, w.nth, nextval('@.seqs') AS seq, w.value ->> 'queue' AS queue, w.value ->> 'task' AS task, w.value -> 'keep' AS keep,
      w.value ->> 'join' AS join_id, @.ms(w.value, 'headStartMs') AS head_start, @.ms(w.value, 'rememberMs') AS remember
    FROM jsonb_array_elements(_works) WITH ORDINALITY w (value, nth)
  ), lined AS MATERIALIZED (
    SELECT q.queue, q.task, @.line_of(q.queue, q.task) AS line FROM (SELECT DISTINCT g.queue, g.task FROM given g) q
  ), kept AS MATERIALIZED (
    SELECT q.keep, @.keep_of(q.keep) AS id FROM (SELECT DISTINCT g.keep FROM given g) q
  ), known AS MATERIALIZED (
    SELECT q.id, @.join_seq_of(q.id) AS seq FROM (SELECT DISTINCT g.join_id AS id FROM given g) q
  ), placed AS (
    SELECT g.*, l.line, k.id AS keep_id, n.seq AS joined FROM given g JOIN lined l ON l.queue = g.queue AND l.task = g.task JOIN kept k ON k.keep = g.keep JOIN known n ON n.id = g.join_id
  ), stored AS (
    INSERT INTO @.jobs (seq, id, line, keep, flags, payload, content, enqueued_at, urgency, head_start, due_at, remember_until, extra, state, since,
      lane, lane_width, if_dead)
    SELECT p.seq, p.work ->> 'id', p.line, p.keep_id, ${held} | CASE WHEN p.remember > 0 THEN ${flags.isRemembered} ELSE 0 END | CASE WHEN p.work ? 'lane' THEN ${flags.hasLane} ELSE 0 END, p.work ->> 'payload', p.work ->> 'content', _now,
      _now - p.head_start, p.head_start, _now, CASE WHEN p.remember > 0 THEN _now + p.remember END,
      CASE WHEN p.work ?| '{expecting,version,from,slot}' THEN @.extra_of(p.work) END, ${codeOf("blocked")}, _now,
      p.work -> 'lane' ->> 'key', (p.work -> 'lane' ->> 'width')::int, p.work -> 'lane' ->> 'ifDead'
    FROM placed p ORDER BY p.nth
  ), joined AS (
    INSERT INTO @.joined (joined, seq, nth) SELECT p.joined, p.seq, 0 FROM placed p ORDER BY p.seq
  )
  SELECT jsonb_agg(jsonb_build_object('id', p.work -> 'id', 'isDuplicate', false, 'state', 'blocked') ORDER BY p.nth), array_agg(p.line), array_agg(p.joined)
    INTO _answers, _lines, _joins FROM placed p;
  FOR _by IN SELECT l.id, count(*)::int AS jobs FROM unnest(_lines) l (id) GROUP BY l.id LOOP PERFORM @.count_change(_by.id, 'blocked', _by.jobs); END LOOP;
  FOR _by IN SELECT q.seq, q.jobs, n.state FROM (SELECT s.seq, count(*)::int AS jobs FROM unnest(_joins) s (seq) GROUP BY s.seq) q
    CROSS JOIN LATERAL (SELECT n.state FROM @.joins n WHERE n.seq = q.seq OFFSET 0) n
  LOOP
    PERFORM @.change_counts(_by.seq, _by.jobs, _by.jobs, 0, 0, CASE WHEN _by.state = ${joinStates.staged} AND _origin = 'outside' THEN _by.jobs ELSE 0 END);
    PERFORM @.touch_join(_by.seq);
  END LOOP;
  RETURN _answers;
END $$;
`;
