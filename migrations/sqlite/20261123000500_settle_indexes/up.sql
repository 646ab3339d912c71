-- What each index costs and serves is written down in docs/indexes.md.

-- No list of the API is under a test case: its history over evaluations cannot be asked for.
DROP INDEX test_results_case_history;
-- Names are unique: the index that sees to that has them in order.
DROP INDEX prompt_templates_name_order;

-- Few prompts are deleted. Sums over all prompts leave these out, and need not look the others up.
CREATE INDEX prompts_deleted ON prompts (id) WHERE deleted_at IS NOT NULL;

-- Models are compared over all prompts: the rows are stored in the order of the models, so that they are added up as they
-- are read, without being sorted.
CREATE TABLE ordered_totals (
  prompt_id        BLOB NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
  provider         TEXT NOT NULL,
  model            TEXT NOT NULL,
  evaluation_count INTEGER NOT NULL CHECK (evaluation_count >= 0),
  scored_count     INTEGER NOT NULL CHECK (scored_count >= 0),
  score_sum        REAL,
  total_tests      INTEGER NOT NULL CHECK (total_tests >= 0),
  passed_tests     INTEGER NOT NULL CHECK (passed_tests >= 0),
  failed_tests     INTEGER NOT NULL CHECK (failed_tests >= 0),
  errored_tests    INTEGER NOT NULL CHECK (errored_tests >= 0),
  timed_tests      INTEGER NOT NULL CHECK (timed_tests >= 0),
  total_latency_ms INTEGER CHECK (total_latency_ms >= 0),
  cost_usd         REAL,
  PRIMARY KEY (provider, model, prompt_id)
) STRICT, WITHOUT ROWID;
INSERT INTO ordered_totals SELECT * FROM prompt_model_totals ORDER BY provider, model, prompt_id;
DROP TABLE prompt_model_totals;
ALTER TABLE ordered_totals RENAME TO prompt_model_totals;
CREATE INDEX prompt_model_totals_prompt ON prompt_model_totals (prompt_id);
