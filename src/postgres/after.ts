/** What comes after what. Jobs and joins are numbered in one sequence: a node is the number of either. */
import type { After } from "../core/engine.ts";
import type { JobState } from "../core/states.ts";
import { completionOf } from "./completions.ts";
import { flags } from "./flags.ts";
import { joinStates } from "./join.ts";
import { codeOf } from "./numbers.ts";
import { passKinds } from "./passKinds.ts";

export const wantedCodes: Readonly<Record<After["when"], number>> = { well: 1, badly: 2, ended: 3 };

const endedWell = `d.seq IS NOT NULL OR j.state = ${codeOf("skipped")}`;
const endedBadly = `j.state IN (${(["parked", "cancelled", "dead"] satisfies JobState[]).map(codeOf).join(", ")})`;
/** One that was deleted counts as it was asked for. */
export const endedOf: string = `CASE WHEN j.seq IS NOT NULL THEN CASE WHEN ${endedWell} THEN 1 WHEN ${endedBadly} THEN 2 ELSE 0 END
  WHEN n.seq IS NOT NULL THEN n.ended ELSE a.wanted END`;
export const beforeJoined: string = `LEFT JOIN @.jobs j ON j.seq = a.before ${completionOf("a.before", "j.state = 0")} LEFT JOIN @.joins n ON n.seq = a.before`;

export const afterFunctions: string = `
-- _edges: [{before, when}]; before 0: what is gone already. Those in running are told by their wide rows alone: another transaction may hold the narrow one.
-- By primary keys.
CREATE FUNCTION @.come_after(_node bigint, _edges jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _befores bigint[] := ARRAY(SELECT (e.value ->> 'before')::bigint FROM jsonb_array_elements(_edges) e (value));
BEGIN
  INSERT INTO @.after (node, at, before, wanted, is_live)
  SELECT _node, e.nth - 1, (e.value ->> 'before')::bigint, CASE e.value ->> 'when' WHEN 'well' THEN 1 WHEN 'badly' THEN 2 ELSE 3 END, true
  FROM jsonb_array_elements(_edges) WITH ORDINALITY e (value, nth);
  PERFORM @.tie_running(b.seq) FROM unnest(_befores) b (seq);
  UPDATE @.jobs j SET flags = j.flags | ${flags.hasFollowers} WHERE j.seq = ANY (_befores) AND j.flags & ${flags.hasFollowers} = 0;
END $$;

-- What a work's \`after\` means: [{before, when}]. _losers: by the id of a work that lost its unique key, who stands for it.
CREATE FUNCTION @.befores_of(_after jsonb, _losers jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT jsonb_agg(jsonb_build_object('before', coalesce((_losers ->> (a.value ->> 'id'))::bigint, @.node_of(a.value ->> 'id')), 'when', a.value -> 'when') ORDER BY a.nth)
    FROM jsonb_array_elements(_after) WITH ORDINALITY a (value, nth));
END $$;

-- The same with the ids of those that stand. By primary key.
CREATE FUNCTION @.after_named(_after jsonb, _edges jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (SELECT jsonb_agg(jsonb_build_object('id', coalesce((SELECT j.id FROM @.jobs j WHERE j.seq = (_edges -> (a.nth::int - 1) ->> 'before')::bigint), a.value ->> 'id'),
      'when', a.value -> 'when') ORDER BY a.nth)
    FROM jsonb_array_elements(_after) WITH ORDINALITY a (value, nth));
END $$;

-- By the states of now: met, held, or as what ended otherwise than asked; the first of its list that did decides, also while others are open.
-- By primary keys.
CREATE FUNCTION @.verdict_on(_node bigint) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  _stands record;
BEGIN
  SELECT min(q.at) FILTER (WHERE q.ended > 0 AND q.wanted <> ${wantedCodes.ended} AND q.ended <> q.wanted) AS unmet, min(q.at) FILTER (WHERE q.ended = 0) AS open
    INTO _stands FROM (SELECT a.at, a.wanted, ${endedOf} AS ended FROM @.after a ${beforeJoined} WHERE a.node = _node) q;
  IF _stands.unmet IS NOT NULL THEN RETURN @.unmet_at(_node, _stands.unmet); END IF;
  RETURN CASE WHEN _stands.open IS NULL THEN '{"is": "met"}'::jsonb ELSE '{"is": "held"}'::jsonb END;
END $$;

-- What holds a job back, if anything does: what it comes after, and its own join.
CREATE FUNCTION @.verdict_on_job(_job @.job, _own bigint) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  _verdict jsonb := '{"is": "met"}';
  _join record;
BEGIN
  IF _job.flags & ${flags.hasAfter} <> 0 THEN _verdict := @.verdict_on(_job.seq); END IF;
  IF _own IS NULL OR _verdict ->> 'is' IN ('cancelled', 'skipped') THEN RETURN _verdict; END IF;
  SELECT n.fate, n.reason, n.state = ${joinStates.open} AND NOT n.is_cancelled AS is_open INTO _join FROM @.joins n WHERE n.seq = _own;
  IF _join.fate IS NOT NULL THEN RETURN jsonb_build_object('is', _join.fate, 'reason', coalesce(_join.reason, '')); END IF;
  RETURN CASE WHEN coalesce(_join.is_open, true) THEN _verdict ELSE '{"is": "held"}'::jsonb END;
END $$;

-- They live, and keep what they came after; or they ended, and keep it no longer: what only they kept is looked at again.
-- By primary keys: at most 500 of a node.
CREATE FUNCTION @.turn_followers(_seqs bigint[], _is_live boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE @.after a SET is_live = _is_live WHERE a.node = ANY (_seqs) AND a.is_live <> _is_live;
  IF _is_live THEN RETURN; END IF;
  PERFORM @.purge_at(@.now(), q.before)
    FROM (SELECT DISTINCT a.before FROM @.after a WHERE a.node = ANY (_seqs) AND (SELECT j.flags FROM @.jobs j WHERE j.seq = a.before) & ${flags.isKept} <> 0) q;
  PERFORM @.gather('joins_to_purge', q.before::text)
    FROM (SELECT DISTINCT a.before FROM @.after a WHERE a.node = ANY (_seqs) AND (SELECT n.seq FROM @.joins n WHERE n.seq = a.before) IS NOT NULL) q;
END $$;

-- By primary key.
CREATE FUNCTION @.forget_edges(_node bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM @.after a WHERE a.node = _node;
END $$;

-- By after_live.
CREATE FUNCTION @.has_live_followers(_node bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM @.after a WHERE a.before = _node AND a.is_live);
END $$;

-- Whether some of those that came after it have yet to hear of its ending. By primary key.
CREATE FUNCTION @.is_yet_to_be_told(_node bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM unnest(@.gathered('ended')) i (item) WHERE starts_with(i.item, _node || ':'))
    OR EXISTS (SELECT 1 FROM @.passes p WHERE p.kind = ${passKinds.followers} AND p.node = _node);
END $$;

-- The words are those of core/joining.ts. By primary keys.
CREATE FUNCTION @.unmet_at(_node bigint, _at int) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  _edge record;
BEGIN
  SELECT a.before, a.wanted INTO _edge FROM @.after a WHERE a.node = _node AND a.at = _at;
  IF _edge.wanted = ${wantedCodes.well} THEN
    RETURN jsonb_build_object('is', 'cancelled', 'reason', 'not started: it comes after ' || @.what_stood(_edge.before));
  END IF;
  RETURN jsonb_build_object('is', 'skipped', 'reason', 'not needed: it was for the failure of ' || @.what_stood(_edge.before));
END $$;

CREATE FUNCTION @.what_stood(_before bigint) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  _job @.job := @.job_at(_before);
  _join record;
BEGIN
  IF _job.seq IS NOT NULL THEN RETURN 'job ' || _job.id || ', which is ' || _job.state; END IF;
  SELECT n.name, n.id, n.ended INTO _join FROM @.joins n WHERE n.seq = _before;
  RETURN coalesce(_join.name || ' ' || _join.id || ', which ' || CASE WHEN _join.ended = ${wantedCodes.well} THEN 'succeeded' ELSE 'failed' END, 'what is gone');
END $$;
`;
