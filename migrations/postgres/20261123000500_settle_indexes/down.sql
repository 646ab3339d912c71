DROP INDEX prompt_model_totals_prompt;
ALTER TABLE prompt_model_totals DROP CONSTRAINT prompt_model_totals_pkey;
ALTER TABLE prompt_model_totals ADD PRIMARY KEY (prompt_id, provider, model);
DROP INDEX prompts_deleted;
CREATE INDEX prompt_templates_name_order ON prompt_templates (name, id);
CREATE INDEX test_results_case_history ON test_results (test_case_name, case_hash, created_at);
