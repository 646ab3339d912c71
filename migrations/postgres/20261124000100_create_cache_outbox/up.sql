-- What has changed, for the caches: whatever a transaction changes, by whichever way, triggers write down in it. The tags are
-- those of src/cache/tag.rs: each names what cached entries depend on.

CREATE TABLE cache_outbox (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tag        text COLLATE "C" NOT NULL,
  -- The server whose transaction it was, which carries it out by itself; null for everybody else's.
  origin     uuid DEFAULT nullif(current_setting('evalgraph.instance', true), '')::uuid,
  xact       bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX cache_outbox_xact ON cache_outbox (xact);

-- What the servers have agreed on about the cache that they share.
CREATE TABLE cache_state (
  id            integer PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  -- What its keys begin with; null while nobody may use it.
  namespace     uuid,
  changed_at    timestamptz NOT NULL DEFAULT now(),
  -- Until then no namespace is set, for somebody cannot reach the cache.
  refused_until timestamptz,
  renewed_at    timestamptz NOT NULL DEFAULT now()
);
INSERT INTO cache_state DEFAULT VALUES;

CREATE FUNCTION cache_tag(kind text, id uuid) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN kind || ':' || replace(id::text, '-', '');

-- Servers carry out what they change; only of what others do they have to be told.
CREATE FUNCTION cache_notify() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF coalesce(current_setting('evalgraph.instance', true), '') = '' THEN
    PERFORM pg_notify('evalgraph_cache', '');
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_outbox_notify AFTER INSERT ON cache_outbox FOR EACH STATEMENT EXECUTE FUNCTION cache_notify();

CREATE FUNCTION cache_prompts_insert() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('p', new_rows.id), 'P:' || new_rows.user_id]) AS tag FROM new_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_prompts_insert AFTER INSERT ON prompts
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_prompts_insert();
CREATE FUNCTION cache_prompts_update() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('p', old_rows.id), 'P:' || old_rows.user_id]) AS tag FROM old_rows
    UNION ALL SELECT unnest(ARRAY[cache_tag('p', new_rows.id), 'P:' || new_rows.user_id]) AS tag FROM new_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_prompts_update AFTER UPDATE ON prompts
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_prompts_update();
CREATE FUNCTION cache_prompts_delete() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('p', old_rows.id), 'P:' || old_rows.user_id]) AS tag FROM old_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_prompts_delete AFTER DELETE ON prompts
  REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_prompts_delete();
-- Who owns a prompt decides who sees its evaluations.
CREATE FUNCTION cache_prompts_given_away() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag)
  SELECT DISTINCT tag
  FROM old_rows JOIN new_rows ON new_rows.id = old_rows.id AND new_rows.user_id <> old_rows.user_id
  CROSS JOIN LATERAL (
    SELECT cache_tag('pe', old_rows.id)
    UNION ALL
    SELECT unnest(ARRAY[cache_tag('e', evaluations.id), cache_tag('er', evaluations.id), cache_tag('re', run_id)])
    FROM evaluations WHERE prompt_id = old_rows.id
  ) AS tags (tag)
  WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_prompts_given_away AFTER UPDATE ON prompts
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_prompts_given_away();

CREATE FUNCTION cache_evaluations_insert() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('e', new_rows.id), cache_tag('pe', new_rows.prompt_id), cache_tag('re', new_rows.run_id)]) AS tag FROM new_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_evaluations_insert AFTER INSERT ON evaluations
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_evaluations_insert();
CREATE FUNCTION cache_evaluations_update() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('e', old_rows.id), cache_tag('pe', old_rows.prompt_id), cache_tag('re', old_rows.run_id)]) AS tag FROM old_rows
    UNION ALL SELECT unnest(ARRAY[cache_tag('e', new_rows.id), cache_tag('pe', new_rows.prompt_id), cache_tag('re', new_rows.run_id)]) AS tag FROM new_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_evaluations_update AFTER UPDATE ON evaluations
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_evaluations_update();
CREATE FUNCTION cache_evaluations_delete() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('e', old_rows.id), cache_tag('pe', old_rows.prompt_id), cache_tag('re', old_rows.run_id)]) AS tag FROM old_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_evaluations_delete AFTER DELETE ON evaluations
  REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_evaluations_delete();
-- The prompt of an evaluation decides who sees its results.
CREATE FUNCTION cache_evaluations_moved() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag)
  SELECT cache_tag('er', old_rows.id)
  FROM old_rows JOIN new_rows ON new_rows.id = old_rows.id AND new_rows.prompt_id <> old_rows.prompt_id;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_evaluations_moved AFTER UPDATE ON evaluations
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_evaluations_moved();

CREATE FUNCTION cache_test_results_insert() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('er', new_rows.evaluation_id)]) AS tag FROM new_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_test_results_insert AFTER INSERT ON test_results
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_test_results_insert();
CREATE FUNCTION cache_test_results_update() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('er', old_rows.evaluation_id)]) AS tag FROM old_rows
    UNION ALL SELECT unnest(ARRAY[cache_tag('er', new_rows.evaluation_id)]) AS tag FROM new_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_test_results_update AFTER UPDATE ON test_results
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_test_results_update();
CREATE FUNCTION cache_test_results_delete() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('er', old_rows.evaluation_id)]) AS tag FROM old_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_test_results_delete AFTER DELETE ON test_results
  REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_test_results_delete();

CREATE FUNCTION cache_runs_insert() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('r', new_rows.id)]) AS tag FROM new_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_runs_insert AFTER INSERT ON runs
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_runs_insert();
CREATE FUNCTION cache_runs_update() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('r', old_rows.id)]) AS tag FROM old_rows
    UNION ALL SELECT unnest(ARRAY[cache_tag('r', new_rows.id)]) AS tag FROM new_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_runs_update AFTER UPDATE ON runs
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_runs_update();
CREATE FUNCTION cache_runs_delete() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('r', old_rows.id)]) AS tag FROM old_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_runs_delete AFTER DELETE ON runs
  REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_runs_delete();

CREATE FUNCTION cache_prompt_templates_insert() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('t', new_rows.id)]) AS tag FROM new_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_prompt_templates_insert AFTER INSERT ON prompt_templates
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_prompt_templates_insert();
CREATE FUNCTION cache_prompt_templates_update() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('t', old_rows.id)]) AS tag FROM old_rows
    UNION ALL SELECT unnest(ARRAY[cache_tag('t', new_rows.id)]) AS tag FROM new_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_prompt_templates_update AFTER UPDATE ON prompt_templates
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_prompt_templates_update();
CREATE FUNCTION cache_prompt_templates_delete() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('t', old_rows.id)]) AS tag FROM old_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_prompt_templates_delete AFTER DELETE ON prompt_templates
  REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_prompt_templates_delete();

CREATE FUNCTION cache_prompt_totals_insert() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('pe', new_rows.prompt_id)]) AS tag FROM new_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_prompt_totals_insert AFTER INSERT ON prompt_totals
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_prompt_totals_insert();
CREATE FUNCTION cache_prompt_totals_update() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('pe', old_rows.prompt_id)]) AS tag FROM old_rows
    UNION ALL SELECT unnest(ARRAY[cache_tag('pe', new_rows.prompt_id)]) AS tag FROM new_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_prompt_totals_update AFTER UPDATE ON prompt_totals
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_prompt_totals_update();
CREATE FUNCTION cache_prompt_totals_delete() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO cache_outbox (tag) SELECT DISTINCT tag FROM (
    SELECT unnest(ARRAY[cache_tag('pe', old_rows.prompt_id)]) AS tag FROM old_rows
  ) AS tags WHERE tag IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER cache_prompt_totals_delete AFTER DELETE ON prompt_totals
  REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION cache_prompt_totals_delete();
