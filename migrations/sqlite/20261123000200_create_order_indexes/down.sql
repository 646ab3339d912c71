DROP INDEX prompts_user_recent;
DROP INDEX prompts_user_updated;
DROP INDEX prompts_user_title;
DROP INDEX prompts_recent;
DROP INDEX prompts_updated;
DROP INDEX prompts_title;
DROP INDEX prompts_status_recent;
DROP INDEX prompts_name;
CREATE INDEX prompts_user_recent ON prompts (user_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX prompts_recent ON prompts (created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX prompts_name ON prompts (name, version) WHERE deleted_at IS NULL;

DROP INDEX runs_user_name;
DROP INDEX runs_name;
DROP INDEX runs_name_recent;

DROP INDEX evaluations_prompt_score;
DROP INDEX evaluations_run_position;
DROP INDEX evaluations_score;
DROP INDEX evaluations_execution_time;
DROP INDEX evaluations_position;
DROP INDEX evaluations_provider_recent;
DROP INDEX evaluations_model_recent;
DROP INDEX evaluations_suite_recent;
CREATE INDEX evaluations_provider_model ON evaluations (provider, model);

DROP INDEX test_results_evaluation_score;
DROP INDEX test_results_evaluation_position;
CREATE INDEX test_results_evaluation_outcome ON test_results (evaluation_id, outcome, score);

DROP INDEX prompt_templates_category_usage;
DROP INDEX prompt_templates_category_name;
DROP INDEX prompt_templates_usage;
DROP INDEX prompt_templates_name_order;
CREATE INDEX prompt_templates_category_usage ON prompt_templates (category, usage_count DESC);
