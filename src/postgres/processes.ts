/** Processes that hold something: jobs, locks, or a place in a lock's line. One lease covers it all (G3). */
export const processFunctions: string = `
-- By UNIQUE (process). _id null: it is not known.
CREATE FUNCTION @.process_asking(_process text, OUT _id int, OUT _is_lost boolean) LANGUAGE plpgsql AS $$
BEGIN
  SELECT p.id, p.is_lost INTO _id, _is_lost FROM @.processes p WHERE p.process = _process;
END $$;

-- Its lease lasts at least _lease_ms from now; it is made known if it is not. Answers its number. By primary key.
CREATE FUNCTION @.lease_to(_id int, _process text, _lease_ms bigint) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  _known int := _id;
  _until bigint := @.now() + _lease_ms;
BEGIN
  IF _known IS NULL THEN
    INSERT INTO @.processes (process, since, lease_until) VALUES (_process, @.now(), _until) RETURNING id INTO _known;
  ELSE
    UPDATE @.processes p SET lease_until = _until WHERE p.id = _known AND p.lease_until < _until;
  END IF;
  RETURN _known;
END $$;
`;
