DROP TABLE prompt_model_totals;
DROP TABLE prompt_totals;
DROP INDEX evaluations_prompt_totals;
CREATE INDEX evaluations_prompt_status_score ON evaluations (prompt_id, status, overall_score);
