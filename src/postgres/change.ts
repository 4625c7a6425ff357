/** Changes jobs that a person or a program selected. */
import { changeMax, tidyMax } from "../core/defaults.ts";
import type { Change } from "../core/engine.ts";
import { endedStates, jobStates, liveStates } from "../core/states.ts";
import type { JobState } from "../core/states.ts";
import { flags } from "./flags.ts";
import { codeOf } from "./numbers.ts";
import { places } from "./lane.ts";
import { verbSettings } from "./transaction.ts";

const changeable: Readonly<Record<Change["do"], readonly JobState[]>> = {
  cancel: liveStates,
  retry: ["scheduled", "parked", "dead"],
  prioritise: ["scheduled", "blocked", "ready", "parked"],
  delete: endedStates,
};

/** On j and r, as find_seqs has them. Not one whose lane was opened already: tidy sorts it back. */
const isRetriable = `(j.state = ${codeOf("scheduled")}
  OR (j.state = ${codeOf("dead")} AND NOT EXISTS (SELECT 1 FROM @.uniques u WHERE u.key = j.unique_key))
  OR (j.state = ${codeOf("parked")} AND (EXISTS (SELECT 1 FROM @.lanes c WHERE c.lane = j.lane AND c.closed_at IS NOT NULL)
    OR EXISTS (SELECT 1 FROM @.members h WHERE h.lane = j.lane AND h.place = ${places.head} AND h.seq = j.seq))))`;

const statesOfChange = Object.entries(changeable).map(([name, states]) => `WHEN '${name}' THEN '${JSON.stringify(states)}'::jsonb`);

export const changeFunctions: string = `
CREATE FUNCTION @.verb_change(_which jsonb, _asked jsonb, _limit int, _stated bigint) RETURNS jsonb ${verbSettings} AS $$
DECLARE
  _answer jsonb;
BEGIN
  PERFORM @.begin_verb(_stated);
  IF NOT @.take_in_inbox() THEN RETURN jsonb_build_object('isReadied', @.end_verb()); END IF;
  _answer := @.change_jobs(_which, _asked, _limit);
  RETURN jsonb_build_object('answer', _answer, 'isReadied', @.end_verb());
END $$;

CREATE FUNCTION @.change_jobs(_which jsonb, _asked jsonb, _limit int) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _most int := least(_limit, ${changeMax});
  _selected record := @.select_jobs(_which, _asked, _most);
  _answers jsonb[] := '{}';
  _id text;
  _job @.job;
BEGIN
  FOREACH _id IN ARRAY _selected._ids LOOP
    _job := @.find_job(_id);
    _answers := _answers || jsonb_build_object('id', _id, 'is', CASE WHEN _job.seq IS NULL THEN 'unknown' ELSE @.change_one(_job, _asked, _most) END);
  END LOOP;
  RETURN jsonb_build_object('jobs', to_jsonb(_answers), 'hasMore', _selected._has_more);
END $$;

CREATE FUNCTION @.select_jobs(_which jsonb, _asked jsonb, _most int, OUT _ids text[], OUT _has_more boolean) LANGUAGE plpgsql AS $$
DECLARE
  _found record;
  _joins bigint[];
BEGIN
  IF _which ? 'ids' THEN
    _ids := ARRAY(SELECT e.id FROM jsonb_array_elements_text(_which -> 'ids') WITH ORDINALITY e (id, nth) ORDER BY e.nth LIMIT _most);
    _has_more := jsonb_array_length(_which -> 'ids') > _most;
    RETURN;
  ELSIF _which ? 'jobs' THEN
    _found := @.selected(_which -> 'jobs', _asked, _most);
    _ids := _found._ids;
    _has_more := _found._has_more;
    RETURN;
  END IF;
  _joins := @.tree_of(_which ->> 'join');
  IF _asked ->> 'do' = 'cancel' THEN PERFORM @.cancel_joins(_joins, _asked ->> 'reason'); END IF;
  _found := @.selected_members(_joins, _asked, _most);
  _ids := _found._ids;
  _has_more := _found._has_more;
  IF _asked ->> 'do' = 'cancel' THEN PERFORM @.leave_to_cancel(_joins, _has_more); END IF;
END $$;

-- Join by join in the order of storing, the members of each in theirs; a member of several once. By joins_pkey.
CREATE FUNCTION @.selected_members(_joins bigint[], _asked jsonb, _most int, OUT _ids text[], OUT _has_more boolean) LANGUAGE plpgsql AS $$
DECLARE
  _join bigint;
  _found record;
BEGIN
  _ids := '{}';
  FOREACH _join IN ARRAY _joins LOOP
    _found := @.selected(jsonb_build_object('join', (SELECT n.id FROM @.joins n WHERE n.seq = _join)), _asked, _most + 1);
    _ids := _ids || ARRAY(SELECT e.id FROM unnest(_found._ids) WITH ORDINALITY e (id, nth) WHERE e.id <> ALL (_ids) ORDER BY e.nth);
    EXIT WHEN cardinality(_ids) > _most OR _found._has_more;
  END LOOP;
  _has_more := cardinality(_ids) > _most;
  _ids := _ids[:_most];
END $$;

-- Only jobs that the change does something to, so that calling again goes on and comes to an end. By jobs_pkey.
CREATE FUNCTION @.selected(_where jsonb, _asked jsonb, _limit int, OUT _ids text[], OUT _has_more boolean) LANGUAGE plpgsql AS $$
DECLARE
  _states jsonb := (SELECT coalesce(jsonb_agg(e.state ORDER BY e.nth), '[]')
    FROM jsonb_array_elements_text(coalesce(_where -> 'states', '${JSON.stringify(jobStates)}')) WITH ORDINALITY e (state, nth)
    WHERE CASE _asked ->> 'do' ${statesOfChange.join(" ")} END ? e.state);
  _found record := @.find_seqs(_where || jsonb_build_object('states', _states), NULL, _limit, false, -1, @.does_something(_asked));
BEGIN
  _ids := ARRAY(SELECT (SELECT j.id FROM @.jobs j WHERE j.seq = e.seq) FROM unnest(_found._seqs) WITH ORDINALITY e (seq, nth) ORDER BY e.nth);
  _has_more := _found._next IS NOT NULL;
END $$;

CREATE FUNCTION @.does_something(_asked jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  CASE _asked ->> 'do'
    WHEN 'cancel' THEN RETURN 'NOT coalesce(r.is_cancelling, false)';
    WHEN 'retry' THEN RETURN $sql$${isRetriable}$sql$;
    WHEN 'prioritise' THEN RETURN format('(j.head_start <> %1$s OR j.urgency <> j.due_at - %1$s)', @.ms(_asked, 'headStartMs'));
    ELSE RETURN NULL;
  END CASE;
END $$;

CREATE FUNCTION @.change_one(_job @.job, _asked jsonb, _limit int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  CASE _asked ->> 'do'
    WHEN 'cancel' THEN RETURN @.cancel_live(_job, _asked ->> 'reason');
    WHEN 'retry' THEN RETURN @.retry(_job, _limit);
    WHEN 'prioritise' THEN RETURN @.prioritise(_job, @.ms(_asked, 'headStartMs'));
    ELSE
      IF NOT @.is_ended(_job.state) THEN RETURN 'live'; END IF;
      PERFORM @.remove_job(_job);
      RETURN 'deleted';
  END CASE;
END $$;

CREATE FUNCTION @.retry(_job @.job, _limit int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  _answer text := @.retry_of(_job);
BEGIN
  IF _answer <> 'retried' THEN RETURN _answer; END IF;
  IF _job.state = 'parked' THEN
    PERFORM @.redrive_parked(_job, _limit);
  ELSIF _job.state = 'dead' THEN
    PERFORM @.redrive_dead(_job);
  ELSE
    PERFORM @.move_job(_job, 'ready', @.anew(_job) || jsonb_build_object('due_at', @.now()));
  END IF;
  RETURN 'retried';
END $$;

CREATE FUNCTION @.retry_of(_job @.job) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  CASE _job.state
    WHEN 'running' THEN RETURN 'running';
    WHEN 'ready', 'blocked' THEN RETURN 'waiting';
    WHEN 'scheduled' THEN RETURN 'retried';
    -- Still parked, but its lane was opened: tidy sorts it back.
    WHEN 'parked' THEN RETURN CASE WHEN _job.lane IS NOT NULL AND NOT @.is_closed(_job.lane) AND NOT @.is_held_by(_job) THEN 'waiting' ELSE 'retried' END;
    WHEN 'dead' THEN RETURN CASE WHEN _job.unique_key IS NOT NULL AND @.is_key_held(_job.unique_key) THEN 'taken' ELSE 'retried' END;
    ELSE RETURN 'ended';
  END CASE;
END $$;

-- One that held its lane runs first. One of a closed lane opens it, and all members run in their order.
CREATE FUNCTION @.redrive_parked(_job @.job, _limit int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _is_closed boolean := @.is_closed(_job.lane);
BEGIN
  IF _job.lane IS NULL THEN RETURN; END IF;
  IF @.is_held_by(_job) THEN
    PERFORM @.redrive_head(_job);
    -- Those behind it in a wide lane were held up by it alone.
    PERFORM @.gather('lanes', _job.lane);
  ELSE
    PERFORM @.write_row(jsonb_populate_record(_job, @.anew(_job)), NULL);
  END IF;
  IF NOT _is_closed THEN RETURN; END IF;
  PERFORM @.open_lane(_job.lane);
  PERFORM @.admit_marked();
  PERFORM @.sort_lane(_job.lane, false, least(_limit, ${tidyMax}));
END $$;

-- One that died in a row, behind another that is still at it, goes back behind that.
CREATE FUNCTION @.redrive_head(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF _job.lane_width = 1 AND @.is_any_admitted_before(_job.lane, _job.seq) THEN
    PERFORM @.put_member(_job.lane, _job.seq, ${places.blocked});
    PERFORM @.move_job(_job, 'blocked', @.anew(_job));
  ELSE
    PERFORM @.put_member(_job.lane, _job.seq, ${places.admitted});
    PERFORM @.wait_job(_job, @.anew(_job));
  END IF;
END $$;

-- It takes its old place in its lane again.
CREATE FUNCTION @.redrive_dead(_job @.job) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _place text := 'admitted';
BEGIN
  IF _job.lane IS NOT NULL THEN _place := @.arrive(_job.lane, _job.seq, coalesce(_job.lane_width, 1)); END IF;
  PERFORM @.move_job(_job, CASE _place WHEN 'admitted' THEN 'ready' ELSE _place END, @.anew(_job));
END $$;

CREATE FUNCTION @.prioritise(_job @.job, _head_start bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  _change jsonb := jsonb_build_object('head_start', _head_start, 'urgency', _job.due_at - _head_start);
BEGIN
  IF @.is_ended(_job.state) THEN RETURN 'ended'; END IF;
  IF _job.state = 'running' THEN RETURN 'running'; END IF;
  IF _job.state = 'ready' THEN
    PERFORM @.move_job(_job, 'ready', _change);
  ELSE
    _job := @.write_row(jsonb_populate_record(_job, _change), NULL);
    IF _job.flags & ${flags.isLimited} <> 0 THEN PERFORM @.stand_anew(_job); END IF;
  END IF;
  RETURN 'prioritised';
END $$;
`;
