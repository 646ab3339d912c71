-- What each index costs and serves is written down in docs/indexes.md.

-- No list of the API is under a test case: its history over evaluations cannot be asked for.
DROP INDEX test_results_case_history;
-- Names are unique: the index that sees to that has them in order.
DROP INDEX prompt_templates_name_order;

-- Few prompts are deleted. Sums over all prompts leave these out, and need not look the others up.
CREATE INDEX prompts_deleted ON prompts (id) WHERE deleted_at IS NOT NULL;

-- Models are compared over all prompts: what is added up is in the order of the models.
ALTER TABLE prompt_model_totals DROP CONSTRAINT prompt_model_totals_pkey;
ALTER TABLE prompt_model_totals ADD PRIMARY KEY (provider, model, prompt_id);
CREATE INDEX prompt_model_totals_prompt ON prompt_model_totals (prompt_id);
