/** One bounded pass of housekeeping. Each reason has its own budget of `items`. */
import { verbSettings } from "./transaction.ts";

export const tidyFunctions: string = `
-- Looks first, without the write lock: idle writes nothing.
CREATE FUNCTION @.verb_tidy(_pass jsonb, _stated bigint) RETURNS jsonb ${verbSettings} AS $$
DECLARE
  _items int := (_pass ->> 'items')::int;
  -- Null: of nobody.
  _expire_until bigint;
  _answer jsonb;
  _is_readied boolean := false;
BEGIN
  PERFORM @.begin_look(_stated);
  IF (_pass ->> 'mayExpire')::boolean THEN _expire_until := least(@.now(), (_pass ->> 'expireUntil')::bigint); END IF;
  IF @.is_tidy(_expire_until) THEN
    _answer := @.tidied(0, 0, 0, 0, 0, 0, false);
  ELSE
    PERFORM @.begin_verb(_stated), @.take_in_inbox();
    _answer := @.tidy(_items, _expire_until);
    IF @.fold_counts() THEN PERFORM @.compact(); END IF;
    _is_readied := @.end_verb();
  END IF;
  RETURN jsonb_build_object('answer', _answer, 'isReadied', _is_readied);
END $$;

CREATE FUNCTION @.is_tidy(_expire_until bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RETURN NOT (
    @.has_inbox()
    OR coalesce(@.first_due_at() <= @.now(), false)
    OR coalesce(@.first_deadline_at() < @.now(), false)
    OR (_expire_until IS NOT NULL AND @.is_any_expired(_expire_until))
    OR @.is_any_lane_marked()
    OR @.is_any_pass_left()
    OR coalesce(@.first_free_at() <= @.now(), false)
    OR @.is_any_start_over()
    OR @.is_replaying()
    OR @.is_any_purge_due()
    OR @.has_counts_to_fold());
END $$;

CREATE FUNCTION @.tidy(_items int, _expire_until bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _promoted int;
  _expired record;
  _sorted record;
  _has_more_starts boolean;
  _replayed record;
  _purged record;
  _left int;
  _given_up int;
BEGIN
  PERFORM @.skip_late_ones(_items);
  _promoted := @.promote(_items);
  IF _expire_until IS NOT NULL THEN
    _expired := @.expire(_items, _expire_until);
  ELSE
    SELECT 0 AS _taken_back, 0 AS _quarantined, false AS _has_more INTO _expired;
  END IF;
  _sorted := @.sort_members(_items);
  _has_more_starts := @.forget_ended_starts(_items);
  PERFORM @.note_freed(_items);
  PERFORM @.resume_passes(_items);
  _replayed := @.replay(_items);
  -- What was to be looked at at once is looked at in this pass.
  PERFORM @.write_purges();
  _purged := @.purge(_items);
  _left := @.remove_leftovers(_items);
  PERFORM @.aftermath(_items);
  _given_up := @.purge_given_up(_items);
  RETURN @.tidied(_promoted, _expired._taken_back, _expired._quarantined, _sorted._parked, _replayed._replayed, _purged._purged + _given_up,
    greatest(_promoted, _left, @.tallied('skipped'), @.tallied('released'), @.tallied('closed'), @.tallied('dropped'), @.tallied('admitted') + @.tallied('given'))
      >= _items
      OR @.tallied('left') > 0 OR _has_more_starts OR _expired._has_more OR _sorted._has_more OR _replayed._has_more OR _purged._has_more);
END $$;

CREATE FUNCTION @.tidied(_promoted int, _taken_back int, _quarantined int, _parked int, _replayed int, _purged int, _has_more boolean) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('now', @.now(), 'promoted', _promoted, 'skipped', @.tallied('skipped'), 'takenBack', _taken_back, 'quarantined', _quarantined,
    'parked', _parked, 'admitted', @.tallied('admitted') + @.tallied('given'), 'released', @.tallied('released'), 'closed', @.tallied('closed'),
    'dropped', @.tallied('dropped'), 'replayed', _replayed, 'purged', _purged, 'hasMore', _has_more)
$$;
`;
