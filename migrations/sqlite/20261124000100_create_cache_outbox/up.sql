-- What has changed, for the caches: whatever a transaction changes, by whichever way, triggers write down in it. The tags are
-- those of src/cache/tag.rs: each names what cached entries depend on.

CREATE TABLE cache_outbox (
  id         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  tag        TEXT NOT NULL,
  -- The server whose transaction it was, which claims it at the end; null for everybody else's.
  origin     BLOB,
  -- Of PostgreSQL alone: here a writer is alone, and claims whatever nobody has claimed.
  xact       INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER))
) STRICT;
CREATE INDEX cache_outbox_unclaimed ON cache_outbox (tag) WHERE origin IS NULL;

-- What the servers have agreed on about the cache that they share.
CREATE TABLE cache_state (
  id            INTEGER NOT NULL PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  -- What its keys begin with; null while nobody may use it.
  namespace     BLOB,
  changed_at    INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER)),
  -- Until then no namespace is set, for somebody cannot reach the cache.
  refused_until INTEGER,
  renewed_at    INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER))
) STRICT;
INSERT INTO cache_state DEFAULT VALUES;

-- A tag is written down once for each transaction, however many rows it changes, and always with a new number: who has
-- read an older one learns that it changed again.
CREATE TRIGGER cache_prompts_insert AFTER INSERT ON prompts BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag IN (
    'p:' || lower(hex(NEW.id)),
    'P:' || NEW.user_id
  );
  INSERT INTO cache_outbox (tag)
  SELECT 'p:' || lower(hex(NEW.id))
  UNION SELECT 'P:' || NEW.user_id;
END;
CREATE TRIGGER cache_prompts_update AFTER UPDATE ON prompts BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag IN (
    'p:' || lower(hex(OLD.id)),
    'P:' || OLD.user_id,
    'p:' || lower(hex(NEW.id)),
    'P:' || NEW.user_id
  );
  INSERT INTO cache_outbox (tag)
  SELECT 'p:' || lower(hex(OLD.id))
  UNION SELECT 'P:' || OLD.user_id
  UNION SELECT 'p:' || lower(hex(NEW.id))
  UNION SELECT 'P:' || NEW.user_id;
END;
CREATE TRIGGER cache_prompts_delete AFTER DELETE ON prompts BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag IN (
    'p:' || lower(hex(OLD.id)),
    'P:' || OLD.user_id
  );
  INSERT INTO cache_outbox (tag)
  SELECT 'p:' || lower(hex(OLD.id))
  UNION SELECT 'P:' || OLD.user_id;
END;

CREATE TRIGGER cache_evaluations_insert AFTER INSERT ON evaluations BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag IN (
    'e:' || lower(hex(NEW.id)),
    'pe:' || lower(hex(NEW.prompt_id)),
    're:' || lower(hex(NEW.run_id))
  );
  INSERT INTO cache_outbox (tag)
  SELECT 'e:' || lower(hex(NEW.id))
  UNION SELECT 'pe:' || lower(hex(NEW.prompt_id))
  UNION SELECT 're:' || lower(hex(NEW.run_id)) WHERE NEW.run_id IS NOT NULL;
END;
CREATE TRIGGER cache_evaluations_update AFTER UPDATE ON evaluations BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag IN (
    'e:' || lower(hex(OLD.id)),
    'pe:' || lower(hex(OLD.prompt_id)),
    're:' || lower(hex(OLD.run_id)),
    'e:' || lower(hex(NEW.id)),
    'pe:' || lower(hex(NEW.prompt_id)),
    're:' || lower(hex(NEW.run_id))
  );
  INSERT INTO cache_outbox (tag)
  SELECT 'e:' || lower(hex(OLD.id))
  UNION SELECT 'pe:' || lower(hex(OLD.prompt_id))
  UNION SELECT 're:' || lower(hex(OLD.run_id)) WHERE OLD.run_id IS NOT NULL
  UNION SELECT 'e:' || lower(hex(NEW.id))
  UNION SELECT 'pe:' || lower(hex(NEW.prompt_id))
  UNION SELECT 're:' || lower(hex(NEW.run_id)) WHERE NEW.run_id IS NOT NULL;
END;
CREATE TRIGGER cache_evaluations_delete AFTER DELETE ON evaluations BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag IN (
    'e:' || lower(hex(OLD.id)),
    'pe:' || lower(hex(OLD.prompt_id)),
    're:' || lower(hex(OLD.run_id))
  );
  INSERT INTO cache_outbox (tag)
  SELECT 'e:' || lower(hex(OLD.id))
  UNION SELECT 'pe:' || lower(hex(OLD.prompt_id))
  UNION SELECT 're:' || lower(hex(OLD.run_id)) WHERE OLD.run_id IS NOT NULL;
END;

CREATE TRIGGER cache_test_results_insert AFTER INSERT ON test_results BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag = 'er:' || lower(hex(NEW.evaluation_id));
  INSERT INTO cache_outbox (tag) VALUES ('er:' || lower(hex(NEW.evaluation_id)));
END;
CREATE TRIGGER cache_test_results_update AFTER UPDATE ON test_results BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag IN (
    'er:' || lower(hex(OLD.evaluation_id)),
    'er:' || lower(hex(NEW.evaluation_id))
  );
  INSERT INTO cache_outbox (tag)
  SELECT 'er:' || lower(hex(OLD.evaluation_id))
  UNION SELECT 'er:' || lower(hex(NEW.evaluation_id));
END;
CREATE TRIGGER cache_test_results_delete AFTER DELETE ON test_results BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag = 'er:' || lower(hex(OLD.evaluation_id));
  INSERT INTO cache_outbox (tag) VALUES ('er:' || lower(hex(OLD.evaluation_id)));
END;

CREATE TRIGGER cache_runs_insert AFTER INSERT ON runs BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag = 'r:' || lower(hex(NEW.id));
  INSERT INTO cache_outbox (tag) VALUES ('r:' || lower(hex(NEW.id)));
END;
CREATE TRIGGER cache_runs_update AFTER UPDATE ON runs BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag IN (
    'r:' || lower(hex(OLD.id)),
    'r:' || lower(hex(NEW.id))
  );
  INSERT INTO cache_outbox (tag)
  SELECT 'r:' || lower(hex(OLD.id))
  UNION SELECT 'r:' || lower(hex(NEW.id));
END;
CREATE TRIGGER cache_runs_delete AFTER DELETE ON runs BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag = 'r:' || lower(hex(OLD.id));
  INSERT INTO cache_outbox (tag) VALUES ('r:' || lower(hex(OLD.id)));
END;

CREATE TRIGGER cache_prompt_templates_insert AFTER INSERT ON prompt_templates BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag = 't:' || lower(hex(NEW.id));
  INSERT INTO cache_outbox (tag) VALUES ('t:' || lower(hex(NEW.id)));
END;
CREATE TRIGGER cache_prompt_templates_update AFTER UPDATE ON prompt_templates BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag IN (
    't:' || lower(hex(OLD.id)),
    't:' || lower(hex(NEW.id))
  );
  INSERT INTO cache_outbox (tag)
  SELECT 't:' || lower(hex(OLD.id))
  UNION SELECT 't:' || lower(hex(NEW.id));
END;
CREATE TRIGGER cache_prompt_templates_delete AFTER DELETE ON prompt_templates BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag = 't:' || lower(hex(OLD.id));
  INSERT INTO cache_outbox (tag) VALUES ('t:' || lower(hex(OLD.id)));
END;

CREATE TRIGGER cache_prompt_totals_insert AFTER INSERT ON prompt_totals BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag = 'pe:' || lower(hex(NEW.prompt_id));
  INSERT INTO cache_outbox (tag) VALUES ('pe:' || lower(hex(NEW.prompt_id)));
END;
CREATE TRIGGER cache_prompt_totals_update AFTER UPDATE ON prompt_totals BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag IN (
    'pe:' || lower(hex(OLD.prompt_id)),
    'pe:' || lower(hex(NEW.prompt_id))
  );
  INSERT INTO cache_outbox (tag)
  SELECT 'pe:' || lower(hex(OLD.prompt_id))
  UNION SELECT 'pe:' || lower(hex(NEW.prompt_id));
END;
CREATE TRIGGER cache_prompt_totals_delete AFTER DELETE ON prompt_totals BEGIN
  DELETE FROM cache_outbox WHERE origin IS NULL AND tag = 'pe:' || lower(hex(OLD.prompt_id));
  INSERT INTO cache_outbox (tag) VALUES ('pe:' || lower(hex(OLD.prompt_id)));
END;

-- Who owns a prompt decides who sees its evaluations.
CREATE TRIGGER cache_prompts_given_away AFTER UPDATE OF user_id ON prompts WHEN OLD.user_id <> NEW.user_id BEGIN
  INSERT INTO cache_outbox (tag)
  SELECT 'pe:' || lower(hex(OLD.id))
  UNION SELECT 'e:' || lower(hex(id)) FROM evaluations WHERE prompt_id = OLD.id
  UNION SELECT 'er:' || lower(hex(id)) FROM evaluations WHERE prompt_id = OLD.id
  UNION SELECT 're:' || lower(hex(run_id)) FROM evaluations WHERE prompt_id = OLD.id AND run_id IS NOT NULL;
END;

-- The prompt of an evaluation decides who sees its results.
CREATE TRIGGER cache_evaluations_moved AFTER UPDATE OF prompt_id ON evaluations WHEN OLD.prompt_id <> NEW.prompt_id BEGIN
  INSERT INTO cache_outbox (tag) VALUES ('er:' || lower(hex(OLD.id)));
END;
