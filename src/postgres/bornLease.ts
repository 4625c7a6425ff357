/** Jobs that run from the start, for the process that enqueues them. */
export const bornLeaseFunctions: string = `
-- The answers, with what was leased told. _leased counts them by task, for the whole call.
CREATE FUNCTION @.lease_born(_works jsonb, INOUT _answers jsonb, INOUT _leased jsonb) LANGUAGE plpgsql AS $$
DECLARE
  _work record;
  _fence bigint;
  _fences jsonb := '{}';
BEGIN
  FOR _work IN SELECT w.o, _answers -> (w.nth - 1)::int AS answer FROM jsonb_array_elements(_works) WITH ORDINALITY w (o, nth)
      WHERE w.o ->> 'kind' = 'job' AND w.o ? 'lease' ORDER BY w.nth LOOP
    CONTINUE WHEN coalesce((_work.answer ->> 'isDuplicate')::boolean, false) OR _work.answer ->> 'state' <> 'ready';
    _fence := @.lease_one(_work.o, coalesce((_leased ->> (_work.o ->> 'task'))::int, 0));
    CONTINUE WHEN _fence IS NULL;
    _leased := _leased || jsonb_build_object(_work.o ->> 'task', coalesce((_leased ->> (_work.o ->> 'task'))::int, 0) + 1);
    _fences := _fences || jsonb_build_object(_work.o ->> 'id', _fence);
  END LOOP;
  IF _fences = '{}' THEN RETURN; END IF;
  -- One that lost its unique key to it is told that it runs, but does not hold it.
  SELECT jsonb_agg(CASE WHEN NOT _fences ? (a.o ->> 'id') THEN a.o ELSE a.o || '{"state": "running"}' || CASE WHEN coalesce((a.o ->> 'isDuplicate')::boolean, false) THEN '{}'
      ELSE jsonb_build_object('leased', jsonb_build_object('fence', _fences -> (a.o ->> 'id'), 'now', @.now())) END END ORDER BY a.nth)
    INTO _answers FROM jsonb_array_elements(_answers) WITH ORDINALITY a (o, nth);
END $$;

-- Answers its fence; null: it may not run now.
CREATE FUNCTION @.lease_one(_work jsonb, _so_far int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  _lease jsonb := _work -> 'lease';
  _terms jsonb := _lease -> 'terms';
  _task text := _work ->> 'task';
  _job @.job := @.find_job(_work ->> 'id');
  _process record;
  _fence bigint;
BEGIN
  SELECT * INTO _process FROM @.process_asking(_lease ->> 'process');
  IF _job.seq IS NULL OR _process._is_lost OR NOT @.may_run(_work, _job) OR _so_far >= (_terms ->> 'most')::int OR (_terms ->> 'most')::int < 1
    OR NOT @.has_room(@.room_under(jsonb_build_object(_task, _terms), ARRAY[_task]), _terms) THEN RETURN NULL; END IF;
  _fence := @.take_fence((_lease ->> 'lastFence')::bigint);
  PERFORM @.start_jobs(@.lease_to(_process._id, _lease ->> 'process', (_lease ->> 'leaseMs')::bigint), _fence, _lease ->> 'claim',
    @.hand_out_room(jsonb_build_object(_task, _terms), jsonb_build_object(_task, 1)),
    ARRAY[_job.seq], ARRAY(SELECT r.ctid FROM @.ready r WHERE r.line = @.ready_line(_job) AND r.urgency = _job.urgency AND r.seq = _job.seq));
  RETURN _fence;
END $$;

CREATE FUNCTION @.may_run(_work jsonb, _job @.job) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
  _pauses text[] := @.pauses();
BEGIN
  RETURN _job.state = 'ready' AND NOT @.is_late(_job) AND NOT 'pause/queue/' || (_work ->> 'queue') = ANY (_pauses) AND NOT 'pause/task/' || (_work ->> 'task') = ANY (_pauses);
END $$;
`;
