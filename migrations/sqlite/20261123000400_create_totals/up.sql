-- What prompts, and models on prompts, come to over their evaluations. The rows are computed anew from the evaluations at
-- the end of every transaction that changes these (`db::totals`), never counted up: sums do not drift, and nobody waits
-- for a row that somebody else keeps locked for long.
--
-- Scores count of completed evaluations alone; tests and costs of all. A sum of nothing is null, and so is one in which
-- a number beyond 1e290 had to be added: sums stay finite.

CREATE TABLE prompt_totals (
  prompt_id        BLOB NOT NULL PRIMARY KEY REFERENCES prompts (id) ON DELETE CASCADE,
  -- The prompt's owner: the best prompts of one owner are a range of an index.
  user_id          TEXT NOT NULL,
  evaluation_count INTEGER NOT NULL CHECK (evaluation_count >= 0),
  completed_count  INTEGER NOT NULL CHECK (completed_count >= 0),
  scored_count     INTEGER NOT NULL CHECK (scored_count >= 0),
  score_sum        REAL,
  -- The sum by the count; both databases compare it, so it is stored.
  average_score    REAL,
  total_tests      INTEGER NOT NULL CHECK (total_tests >= 0),
  passed_tests     INTEGER NOT NULL CHECK (passed_tests >= 0),
  failed_tests     INTEGER NOT NULL CHECK (failed_tests >= 0),
  errored_tests    INTEGER NOT NULL CHECK (errored_tests >= 0),
  cost_usd         REAL
) STRICT;

CREATE TABLE prompt_model_totals (
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

-- The best prompts: of everybody, and of one owner.
CREATE INDEX prompt_totals_average ON prompt_totals (average_score DESC, scored_count DESC, prompt_id)
  WHERE average_score IS NOT NULL;
CREATE INDEX prompt_totals_user_average ON prompt_totals (user_id, average_score DESC, scored_count DESC, prompt_id)
  WHERE average_score IS NOT NULL;

-- Everything that the totals are computed from, so that computing them reads no rows.
DROP INDEX evaluations_prompt_status_score;
CREATE INDEX evaluations_prompt_totals ON evaluations (
  prompt_id, status, overall_score, provider, model, total_tests, passed_tests, failed_tests, errored_tests, timed_tests,
  total_latency_ms, cost_usd
);

INSERT INTO prompt_totals
SELECT id, user_id, evaluation_count, completed_count, scored_count, score_sum,
  CASE WHEN abs(score_sum) < 1e-290 THEN score_sum ELSE score_sum / scored_count END,
  total_tests, passed_tests, failed_tests, errored_tests, cost_usd
FROM (
  SELECT prompt_id, count(*) AS evaluation_count,
    count(*) FILTER (WHERE status = 'completed') AS completed_count,
    count(CASE WHEN status = 'completed' THEN overall_score END) AS scored_count,
    CASE WHEN coalesce(max(abs(CASE WHEN status = 'completed' THEN overall_score END)), 0) <= 1e290
    THEN sum(CASE WHEN status = 'completed' THEN overall_score END) FILTER (WHERE abs(CASE WHEN status = 'completed' THEN overall_score END) <= 1e290) END AS score_sum,
    CAST(coalesce(sum(total_tests), 0) AS bigint) AS total_tests,
    CAST(coalesce(sum(passed_tests), 0) AS bigint) AS passed_tests,
    CAST(coalesce(sum(failed_tests), 0) AS bigint) AS failed_tests,
    CAST(coalesce(sum(errored_tests), 0) AS bigint) AS errored_tests,
    CASE WHEN coalesce(max(abs(cost_usd)), 0) <= 1e290
    THEN sum(cost_usd) FILTER (WHERE abs(cost_usd) <= 1e290) END AS cost_usd
  FROM evaluations GROUP BY prompt_id
) AS figures JOIN prompts ON prompts.id = figures.prompt_id;

INSERT INTO prompt_model_totals
SELECT prompt_id, provider, model, count(*), count(overall_score),
  CASE WHEN coalesce(max(abs(overall_score)), 0) <= 1e290
    THEN sum(overall_score) FILTER (WHERE abs(overall_score) <= 1e290) END,
  CAST(coalesce(sum(total_tests), 0) AS bigint),
  CAST(coalesce(sum(passed_tests), 0) AS bigint),
  CAST(coalesce(sum(failed_tests), 0) AS bigint),
  CAST(coalesce(sum(errored_tests), 0) AS bigint),
  CAST(coalesce(sum(timed_tests), 0) AS bigint),
  CAST(sum(total_latency_ms) AS bigint),
  CASE WHEN coalesce(max(abs(cost_usd)), 0) <= 1e290
    THEN sum(cost_usd) FILTER (WHERE abs(cost_usd) <= 1e290) END
FROM evaluations
WHERE status = 'completed' AND provider IS NOT NULL AND model IS NOT NULL
GROUP BY prompt_id, provider, model;
