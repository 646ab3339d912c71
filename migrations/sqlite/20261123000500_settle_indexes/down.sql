CREATE TABLE unordered_totals (
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
  PRIMARY KEY (prompt_id, provider, model)
) STRICT;
INSERT INTO unordered_totals SELECT * FROM prompt_model_totals ORDER BY prompt_id, provider, model;
DROP TABLE prompt_model_totals;
ALTER TABLE unordered_totals RENAME TO prompt_model_totals;
DROP INDEX prompts_deleted;
CREATE INDEX prompt_templates_name_order ON prompt_templates (name, id);
CREATE INDEX test_results_case_history ON test_results (test_case_name, case_hash, created_at);
