-- Each index serves a list of the API, newest first, or the foreign key that a cascade follows.

-- Live prompts: of one user, of one user and status, of everybody (administrators).
CREATE INDEX prompts_user_recent ON prompts (user_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX prompts_user_status_recent ON prompts (user_id, status, created_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX prompts_recent ON prompts (created_at DESC, id DESC) WHERE deleted_at IS NULL;
-- The versions of a lineage, the direct successors of a version, the prompts made from a template.
CREATE INDEX prompts_root_recent ON prompts (root_id, created_at DESC, id DESC);
CREATE INDEX prompts_parent_recent ON prompts (parent_id, created_at DESC, id DESC);
CREATE INDEX prompts_template_recent ON prompts (template_id, created_at DESC, id DESC);
-- A named lineage has one live row per version, and is found by its name or its folder.
CREATE UNIQUE INDEX prompts_user_name_version ON prompts (user_id, name, version) WHERE deleted_at IS NULL;
CREATE INDEX prompts_name ON prompts (name, version) WHERE deleted_at IS NULL;

CREATE INDEX runs_user_recent ON runs (user_id, created_at DESC, id DESC);
CREATE INDEX runs_recent ON runs (created_at DESC, id DESC);
CREATE INDEX runs_external ON runs (external_id);

CREATE INDEX evaluations_prompt_recent ON evaluations (prompt_id, created_at DESC, id DESC);
CREATE INDEX evaluations_run_recent ON evaluations (run_id, created_at DESC, id DESC);
CREATE INDEX evaluations_recent ON evaluations (created_at DESC, id DESC);
CREATE INDEX evaluations_prompt_status_score ON evaluations (prompt_id, status, overall_score);
CREATE INDEX evaluations_provider_model ON evaluations (provider, model);

CREATE INDEX test_results_evaluation_order ON test_results (evaluation_id, created_at, id);
CREATE INDEX test_results_evaluation_outcome ON test_results (evaluation_id, outcome, score);
-- What did not pass is what people look at: their pages must not wade through the results that did.
CREATE INDEX test_results_evaluation_not_passed ON test_results (evaluation_id, created_at, id) WHERE NOT passed;
-- The history of one test case over evaluations.
CREATE INDEX test_results_case_history ON test_results (test_case_name, case_hash, created_at);

CREATE INDEX prompt_templates_category_usage ON prompt_templates (category, usage_count DESC);
CREATE INDEX prompt_templates_category_recent ON prompt_templates (category, created_at DESC, id DESC);
CREATE INDEX prompt_templates_recent ON prompt_templates (created_at DESC, id DESC);
