//! Storing many rows.
//!
//! PostgreSQL takes them a thousand at a time, in one statement whose parameters are the columns. SQLite takes one row at a
//! time through a prepared statement, all of them in one go on the connection's thread.

use diesel::result::QueryResult;

use super::api_tokens::NewApiToken;
use super::arrays::insert_functions;
use super::connection::DbConnection;
use super::evaluations::NewEvaluation;
use super::prompts::NewPrompt;
use super::runs::NewRun;
use super::schema::{api_tokens, evaluations, prompt_templates, prompts, runs, test_results};
use super::templates::NewTemplate;
use super::test_results::NewTestResult;

insert_functions! {
    /// Stores templates.
    templates: NewTemplate {
        id, name, description, template, variables, category, usage_count, created_at, updated_at,
    } in prompt_templates;
    /// Stores prompt versions; a version comes after its parent and its root.
    prompts: NewPrompt {
        id, user_id, name, title, description, content, content_hash, format, system_message, tags, metadata, version,
        parent_id, root_id, template_id, status, created_at, updated_at,
    } in prompts;
    /// Stores API tokens; one comes after that with which it was made.
    api_tokens: NewApiToken {
        id, user_id, name, hash, scopes, created_with, created_at, expires_at,
    } in api_tokens;
    /// Stores runs.
    runs: NewRun {
        id, user_id, external_id, source, source_version, name, description, tags, config, git, metadata, status,
        is_baseline, declared, duration_ms, created_at, started_at, completed_at, updated_at,
    } in runs;
    /// Stores evaluations.
    evaluations: NewEvaluation {
        id, prompt_id, run_id, position, test_suite_id, external_id, status, provider, model, provider_id,
        provider_label, overall_score, score_sum, metrics, total_tests, passed_tests, failed_tests, errored_tests,
        timed_tests, total_latency_ms, prompt_tokens, completion_tokens, total_tokens, cost_usd, execution_time_ms,
        error_message, created_at, started_at, completed_at, updated_at,
    } in evaluations;
    /// Stores test results.
    test_results: NewTestResult {
        id, evaluation_id, external_id, position, test_case_name, case_hash, repetition, input_data, rendered_prompt,
        expected_output, actual_output, score, outcome, passed, reason, latency_ms, token_count, cost_usd,
        named_scores, metadata, error_message, created_at, updated_at,
    } in test_results;
}
