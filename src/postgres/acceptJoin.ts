/** Takes one join in, or seals one that is there. */
import { joinStates } from "./join.ts";

export const acceptJoinFunctions: string = `
-- What it holds is looked at when the atom is stored: its members may stand behind it there.
CREATE FUNCTION @.accept_join(_work jsonb, _losers jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  _known bigint := @.join_seq_of(_work ->> 'id');
  _is_sealed boolean := (_work ->> 'isSealed')::boolean;
  _join bigint := coalesce(_known, @.store_join(_work, _losers));
BEGIN
  PERFORM @.touch_join(_join);
  IF _known IS NULL AND _is_sealed THEN
    PERFORM @.gather('to_look_at', _join::text);
  ELSIF _is_sealed THEN
    -- By primary key: + 0 keeps the planner from joins_staged, of which it would walk all.
    UPDATE @.joins n SET state = ${joinStates.waiting} WHERE n.seq = _join AND n.state + 0 = ${joinStates.staged};
    IF FOUND THEN PERFORM @.gather('to_look_at', _join::text); END IF;
  END IF;
  RETURN jsonb_build_object('id', _work -> 'id', 'isDuplicate', _known IS NOT NULL);
END $$;

CREATE FUNCTION @.store_join(_work jsonb, _losers jsonb) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  _now bigint := @.now();
  _parent bigint := CASE WHEN _work ? 'join' THEN @.join_seq_of(_work ->> 'join') END;
  _edges jsonb;
  _seq bigint := nextval('@.seqs');
BEGIN
  IF @.is_any(_work -> 'after') THEN _edges := @.befores_of(_work -> 'after', _losers); END IF;
  INSERT INTO @.joins (seq, id, name, content, state, parent, size, after, stored_at, touched_at, remember_until)
  VALUES (_seq, _work ->> 'id', _work ->> 'name', _work ->> 'content',
    CASE WHEN (_work ->> 'isSealed')::boolean THEN ${joinStates.waiting} ELSE ${joinStates.staged} END, _parent, (_work ->> 'size')::int,
    CASE WHEN _edges IS NOT NULL THEN @.after_named(_work -> 'after', _edges) END, _now, _now,
    CASE WHEN @.ms(_work, 'rememberMs') > 0 THEN _now + @.ms(_work, 'rememberMs') END);
  IF _edges IS NOT NULL THEN PERFORM @.come_after(_seq, _edges); END IF;
  IF _parent IS NOT NULL THEN PERFORM @.count_new(_parent, NULL); END IF;
  RETURN _seq;
END $$;
`;
