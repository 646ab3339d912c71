// @generated automatically by Diesel CLI.

diesel::table! {
    use crate::db::types::sql::*;

    api_tokens (id) {
        id -> Uuid,
        user_id -> Text,
        name -> Text,
        hash -> Text,
        scopes -> Text,
        created_with -> Nullable<Uuid>,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use crate::db::types::sql::*;

    audit_log (id) {
        id -> Uuid,
        created_at -> Timestamptz,
        user_id -> Text,
        is_admin -> Bool,
        credential -> Text,
        origin -> Text,
        action -> Text,
        objects -> Jsonb,
        object_count -> Int8,
        request_id -> Nullable<Text>,
        client_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    use crate::db::types::sql::*;

    audit_log_objects (object_id, entry_id) {
        object_id -> Uuid,
        entry_id -> Uuid,
    }
}

diesel::table! {
    use crate::db::types::sql::*;

    cache_outbox (id) {
        id -> Int8,
        tag -> Text,
        origin -> Nullable<Uuid>,
        xact -> Int8,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::db::types::sql::*;

    cache_state (id) {
        id -> Int4,
        namespace -> Nullable<Uuid>,
        changed_at -> Timestamptz,
        refused_until -> Nullable<Timestamptz>,
        renewed_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::db::types::sql::*;

    evaluations (id) {
        id -> Uuid,
        prompt_id -> Uuid,
        run_id -> Nullable<Uuid>,
        position -> Nullable<Int4>,
        test_suite_id -> Nullable<Text>,
        external_id -> Nullable<Text>,
        status -> Text,
        provider -> Nullable<Text>,
        model -> Nullable<Text>,
        provider_id -> Nullable<Text>,
        provider_label -> Nullable<Text>,
        overall_score -> Nullable<Float8>,
        score_sum -> Nullable<Float8>,
        metrics -> Jsonb,
        total_tests -> Int4,
        passed_tests -> Int4,
        failed_tests -> Int4,
        errored_tests -> Int4,
        timed_tests -> Int4,
        total_latency_ms -> Nullable<Int8>,
        prompt_tokens -> Nullable<Int8>,
        completion_tokens -> Nullable<Int8>,
        total_tokens -> Nullable<Int8>,
        cost_usd -> Nullable<Float8>,
        execution_time_ms -> Nullable<Int4>,
        error_message -> Nullable<Text>,
        created_at -> Timestamptz,
        started_at -> Nullable<Timestamptz>,
        completed_at -> Nullable<Timestamptz>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::db::types::sql::*;

    prompt_model_totals (provider, model, prompt_id) {
        prompt_id -> Uuid,
        provider -> Text,
        model -> Text,
        evaluation_count -> Int8,
        scored_count -> Int8,
        score_sum -> Nullable<Float8>,
        total_tests -> Int8,
        passed_tests -> Int8,
        failed_tests -> Int8,
        errored_tests -> Int8,
        timed_tests -> Int8,
        total_latency_ms -> Nullable<Int8>,
        cost_usd -> Nullable<Float8>,
    }
}

diesel::table! {
    use crate::db::types::sql::*;

    prompt_templates (id) {
        id -> Uuid,
        name -> Text,
        description -> Nullable<Text>,
        template -> Text,
        variables -> Jsonb,
        category -> Text,
        usage_count -> Int4,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::db::types::sql::*;

    prompt_totals (prompt_id) {
        prompt_id -> Uuid,
        user_id -> Text,
        evaluation_count -> Int8,
        completed_count -> Int8,
        scored_count -> Int8,
        score_sum -> Nullable<Float8>,
        average_score -> Nullable<Float8>,
        total_tests -> Int8,
        passed_tests -> Int8,
        failed_tests -> Int8,
        errored_tests -> Int8,
        cost_usd -> Nullable<Float8>,
    }
}

diesel::table! {
    use crate::db::types::sql::*;

    prompts (id) {
        id -> Uuid,
        user_id -> Text,
        name -> Nullable<Text>,
        title -> Text,
        description -> Nullable<Text>,
        content -> Text,
        content_hash -> Text,
        format -> Text,
        system_message -> Nullable<Text>,
        tags -> Jsonb,
        metadata -> Jsonb,
        version -> Int4,
        parent_id -> Nullable<Uuid>,
        root_id -> Uuid,
        template_id -> Nullable<Uuid>,
        status -> Text,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    use crate::db::types::sql::*;

    runs (id) {
        id -> Uuid,
        user_id -> Text,
        external_id -> Nullable<Text>,
        source -> Text,
        source_version -> Nullable<Text>,
        name -> Text,
        description -> Nullable<Text>,
        tags -> Jsonb,
        config -> Jsonb,
        git -> Nullable<Jsonb>,
        metadata -> Jsonb,
        status -> Text,
        is_baseline -> Bool,
        declared -> Jsonb,
        duration_ms -> Nullable<Int8>,
        created_at -> Timestamptz,
        started_at -> Nullable<Timestamptz>,
        completed_at -> Nullable<Timestamptz>,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    use crate::db::types::sql::*;

    test_results (id) {
        id -> Uuid,
        evaluation_id -> Uuid,
        external_id -> Nullable<Text>,
        position -> Nullable<Int4>,
        test_case_name -> Text,
        case_hash -> Nullable<Text>,
        repetition -> Int4,
        input_data -> Jsonb,
        rendered_prompt -> Nullable<Text>,
        expected_output -> Nullable<Text>,
        actual_output -> Nullable<Text>,
        score -> Float8,
        outcome -> Text,
        passed -> Bool,
        reason -> Nullable<Text>,
        latency_ms -> Nullable<Int4>,
        token_count -> Nullable<Int4>,
        cost_usd -> Nullable<Float8>,
        named_scores -> Jsonb,
        metadata -> Jsonb,
        error_message -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::joinable!(audit_log_objects -> audit_log (entry_id));
diesel::joinable!(evaluations -> prompts (prompt_id));
diesel::joinable!(evaluations -> runs (run_id));
diesel::joinable!(prompt_model_totals -> prompts (prompt_id));
diesel::joinable!(prompt_totals -> prompts (prompt_id));
diesel::joinable!(prompts -> prompt_templates (template_id));
diesel::joinable!(test_results -> evaluations (evaluation_id));

diesel::allow_tables_to_appear_in_same_query!(
    api_tokens,
    audit_log,
    audit_log_objects,
    cache_outbox,
    cache_state,
    evaluations,
    prompt_model_totals,
    prompt_templates,
    prompt_totals,
    prompts,
    runs,
    test_results,
);
