/**
 * Dead rows of narrow tables, which vacuum may not remove while somebody's snapshot is pinned, however old they are: what lives is copied out, the table is truncated,
 * and what lives is put back. Nobody waits for it longer than a moment.
 */
const tables = ["ready", "scheduled", "deadlines", "counts", "purges", "inbox", "floors"];

/** Not worth it below; and where more lives than this part of what is dead, vacuum or a later pass will do. */
const deadLeast = 100_000;
const livePart = 1 / 4;
/** So long who stores something may be held up. */
const lockMs = 20;

export const compactFunctions: string = `
-- Tables with many dead rows and few that live. The server's own counts: they lag a little.
CREATE FUNCTION @.bloated() RETURNS SETOF oid LANGUAGE sql STABLE AS $$
  SELECT c.oid FROM unnest('{${tables.join()}}'::text[]) t (name) CROSS JOIN LATERAL (SELECT format('%I.%I', @schema, t.name)::regclass::oid) c (oid)
  WHERE pg_stat_get_dead_tuples(c.oid) > ${deadLeast} AND pg_stat_get_live_tuples(c.oid) < pg_stat_get_dead_tuples(c.oid) * ${livePart}
$$;

-- For tidy. One that somebody's open transaction has touched is left to a later pass.
CREATE FUNCTION @.compact() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  _table regclass;
  _live text[];
  _was text := current_setting('lock_timeout');
BEGIN
  FOR _table IN SELECT b FROM @.bloated() b LOOP
    CONTINUE WHEN EXISTS (SELECT 1 FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.relation = _table AND l.granted AND l.pid <> pg_backend_pid()
      AND a.xact_start < clock_timestamp() - interval '1 second');
    BEGIN
      PERFORM set_config('lock_timeout', '${lockMs}ms', true);
      EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', _table);
      PERFORM set_config('lock_timeout', _was, true);
      EXECUTE format('SELECT ARRAY(SELECT t::text FROM %s t)', _table) INTO _live;
      EXECUTE format('TRUNCATE %s', _table);
      EXECUTE format('INSERT INTO %1$s OVERRIDING SYSTEM VALUE SELECT (u.row::%1$s).* FROM unnest($1) u (row)', _table) USING _live;
    -- Who may not truncate leaves it to those who may.
    EXCEPTION WHEN lock_not_available OR insufficient_privilege THEN NULL;
    END;
  END LOOP;
END $$;
`;
