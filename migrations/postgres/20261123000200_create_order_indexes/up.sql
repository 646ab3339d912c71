-- Lists in every order that the API offers. What may be missing counts as less than anything: the same expressions stand
-- in the statements. Deleted prompts are few, and listed on demand: they are in the indexes, which say so.

DROP INDEX prompts_user_recent;
DROP INDEX prompts_recent;
DROP INDEX prompts_name;
CREATE INDEX prompts_user_recent ON prompts (user_id, created_at DESC, id DESC, deleted_at);
CREATE INDEX prompts_user_updated ON prompts (user_id, updated_at, id, deleted_at);
CREATE INDEX prompts_user_title ON prompts (user_id, title, id, deleted_at);
CREATE INDEX prompts_recent ON prompts (created_at DESC, id DESC, deleted_at);
CREATE INDEX prompts_updated ON prompts (updated_at, id, deleted_at);
CREATE INDEX prompts_title ON prompts (title, id, deleted_at);
CREATE INDEX prompts_status_recent ON prompts (status, created_at DESC, id DESC, deleted_at);
CREATE INDEX prompts_name ON prompts (name, version, deleted_at);
-- Tags that few prompts have.
CREATE INDEX prompts_tags ON prompts USING gin (tags jsonb_path_ops);

CREATE INDEX runs_user_name ON runs (user_id, name, id);
CREATE INDEX runs_name ON runs (name, id);
-- What runs every night has one name.
CREATE INDEX runs_name_recent ON runs (name, created_at DESC, id DESC);

-- The best of a prompt, and a run as it was put together. Other orders of these few are sorted.
CREATE INDEX evaluations_prompt_score
  ON evaluations (prompt_id, coalesce(overall_score, -1.7976931348623157e308), id);
CREATE INDEX evaluations_run_position ON evaluations (run_id, coalesce(position, -1), id);
CREATE INDEX evaluations_score ON evaluations (coalesce(overall_score, -1.7976931348623157e308), id);
CREATE INDEX evaluations_execution_time ON evaluations (coalesce(execution_time_ms, -1), id);
CREATE INDEX evaluations_position ON evaluations (coalesce(position, -1), id);
DROP INDEX evaluations_provider_model;
CREATE INDEX evaluations_provider_recent ON evaluations (provider, created_at DESC, id DESC);
CREATE INDEX evaluations_model_recent ON evaluations (model, created_at DESC, id DESC);
CREATE INDEX evaluations_suite_recent ON evaluations (test_suite_id, created_at DESC, id DESC);

-- Scores of one outcome alone were asked for by nobody.
DROP INDEX test_results_evaluation_outcome;
CREATE INDEX test_results_evaluation_score ON test_results (evaluation_id, score, id);
CREATE INDEX test_results_evaluation_position ON test_results (evaluation_id, coalesce(position, -1), id);

DROP INDEX prompt_templates_category_usage;
CREATE INDEX prompt_templates_category_usage ON prompt_templates (category, usage_count, id);
CREATE INDEX prompt_templates_category_name ON prompt_templates (category, name, id);
CREATE INDEX prompt_templates_usage ON prompt_templates (usage_count, id);
CREATE INDEX prompt_templates_name_order ON prompt_templates (name, id);
