DROP TABLE test_results;
DROP TABLE evaluations;
DROP TABLE runs;
DROP TABLE prompts;
DROP TABLE prompt_templates;
