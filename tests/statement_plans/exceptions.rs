//! What plans may do though it grows with the tables.

use crate::shape::alternatives;

/// Faults in the plans of some statements that are allowed: the shape of the statements, and the faults. In both, `*` stands
/// for anything. `{a|b}` stands for several exceptions, each of which has to be met; faults with `|` between them outside of
/// braces are one, for a planner may take whichever seems better to it.
pub type Allowed = (&'static str, &'static str);

/// A fault in the plans of some statements that is allowed: one of the alternatives.
#[derive(Debug)]
pub struct Exception {
    /// The shape of the statements.
    pub statement: String,
    /// The fault, or one of several with `|` between them.
    pub fault: String,
}

impl Exception {
    /// One for each of the alternatives.
    pub fn alternatives((statement, fault): &Allowed) -> Vec<Self> {
        let faults = alternatives(fault);
        let statements = alternatives(statement).into_iter();
        let one = |statement: String| {
            faults
                .iter()
                .map(move |fault| Self { statement: statement.clone(), fault: fault.clone() })
                .collect::<Vec<_>>()
        };
        statements.flat_map(one).collect()
    }
}

pub const IN_BOTH: &[Allowed] = &[
    // The length of a list that is under no parent: whoever asks for `totalCount` has it counted.
    ("SELECT count(*) FROM prompts WHERE *", "reads {all|a range}:* prompts*"),
    ("SELECT count(*) FROM evaluations WHERE *", "reads {all|a range}:* evaluations*"),
    ("SELECT count(*) FROM runs WHERE *", "reads {all|a range}:* runs*"),
    ("SELECT count(*) FROM prompt_templates WHERE *", "reads all: * prompt_templates*"),
    ("SELECT count(*) FROM audit_log WHERE *", "reads {all|a range}:* audit_log*"),
    // Figures about everything, for those who see everything.
    (
        "SELECT (SELECT count(*) FROM prompts WHERE ((prompts.deleted_at IS NULL))), (SELECT count(*) FROM prompts WHERE *), \
         (SELECT count(*) FROM runs WHERE TRUE), evaluation_count, *",
        "reads all: * {prompts|runs}*",
    ),
    // The best models of all prompts: what is kept of every prompt is added up, but for the deleted ones. What is sorted
    // are the models. For one user's, PostgreSQL looks up what is kept of each prompt or reads it of all, whichever it
    // takes for less.
    ("SELECT provider, model, * FROM prompt_model_totals *", "reads all: * prompt_model_totals"),
    ("SELECT provider, model, * FROM prompt_model_totals WHERE *", "*: * prompts * prompts_deleted"),
    ("SELECT provider, model, * AS models ORDER BY average_score DESC *", "sorts *"),
    // Who is no administrator and lists all evaluations walks past those of others: see docs/decisions.md.
    (
        "SELECT … FROM evaluations WHERE *(((SELECT … FROM prompts WHERE (prompts.id = evaluations.prompt_id) LIMIT ?) = ?))*",
        "walks past rows: * evaluations_*",
    ),
    // A list of all results, which the API does not have; tests look at it.
    (
        "SELECT … FROM test_results WHERE (((SELECT … FROM *) LIMIT ?) = ?)) ORDER BY *",
        "{reads all|sorts}* test_results*",
    ),
];

pub const IN_SQLITE: &[Allowed] = &[
    // The entries of one object are few, and their ids alone are kept with it.
    (
        "SELECT … FROM audit_log WHERE *audit_log_objects.object_id = ?* ORDER BY audit_log.created_at *",
        "sorts what it finds: SEARCH audit_log USING INDEX sqlite_autoindex_audit_log_1 (id=?)",
    ),
    // The cases of two evaluations are compared: see docs/decisions.md.
    ("WITH results AS (SELECT 0 AS side, *", "sorts *"),
    // Orders within a parent for which there is no index: see docs/decisions.md.
    (
        "*WHERE evaluations.prompt_id = parent.id * ORDER BY coalesce(evaluations.{position|execution_time_ms}, *",
        "sorts what it finds: SEARCH evaluations USING INDEX * (prompt_id=?*)",
    ),
    (
        "*WHERE evaluations.run_id = parent.id * ORDER BY coalesce(evaluations.{overall_score|execution_time_ms}, *",
        "sorts what it finds: SEARCH evaluations USING INDEX * (run_id=?*)",
    ),
    (
        "*WHERE test_results.evaluation_id = parent.id * ORDER BY coalesce(test_results.latency_ms, *",
        "sorts what it finds: SEARCH test_results USING INDEX * (evaluation_id=?*)",
    ),
    (
        "*WHERE prompts.root_id = parent.id * ORDER BY prompts.{title|updated_at} *",
        "sorts what it finds: SEARCH prompts USING INDEX * (root_id=?*)",
    ),
    (
        "*WHERE prompts.template_id = parent.id * ORDER BY prompts.{title|updated_at} *",
        "sorts what it finds: SEARCH prompts USING INDEX prompts_template_recent (template_id=?*)",
    ),
    // Of a parent's rows those of certain scores, those that did not pass, or those of certain times are found first: they
    // are some of its rows.
    (
        "*WHERE test_results.evaluation_id = parent.id *test_results.score * ORDER BY *",
        "sorts what it finds: SEARCH test_results USING INDEX test_results_evaluation_score (evaluation_id=? AND score*",
    ),
    (
        "*WHERE test_results.evaluation_id = parent.id * NOT (test_results.passed)* ORDER BY *",
        "sorts what it finds: SEARCH test_results USING INDEX test_results_evaluation_not_passed (evaluation_id=?*",
    ),
    (
        "*parent.id*.created_at * ORDER BY *",
        "sorts what it finds: SEARCH * USING INDEX *_recent (*_id=? AND created_at*",
    ),
    // What has a name or an identity of its tool: a few rows of each owner.
    (
        "*FROM prompts WHERE *(prompts.name = ?)*",
        "sorts what it finds: SEARCH prompts USING INDEX {prompts_name (|prompts_user_name_version (user_id=? AND }name=?*",
    ),
    ("*WHERE prompts.template_id = *(prompts.name = ?)*", "does not look for prompts.template_id"),
    (
        "SELECT … FROM runs WHERE *(runs.external_id = ?)* ORDER BY (runs.user_id = ?) DESC, *",
        "sorts what it finds: SEARCH runs USING INDEX runs_external (external_id=?)",
    ),
    // SQLite does not know how many rows meet a filter, nor how many are wanted. It looks them up by the filter where there
    // is an index for that, in a list under no parent, and sorts them. What is found by words: see docs/decisions.md.
    (
        "SELECT … FROM prompts WHERE *(prompts.name >= ?)) AND ((prompts.name < ?)* ORDER BY *",
        "sorts what it finds: SEARCH prompts USING INDEX prompts_*name* (*name>? AND name<?)*",
    ),
    (
        "SELECT … FROM prompts WHERE *prompt_search MATCH ?* ORDER BY *",
        "sorts what it finds: SEARCH prompts USING INDEX sqlite_autoindex_prompts_1 (id=?)",
    ),
    (
        "SELECT … FROM prompts WHERE *(prompts.status = ?)* ORDER BY *",
        "sorts what it finds: SEARCH prompts USING INDEX prompts_*status_recent (*status=?*)",
    ),
    (
        "SELECT … FROM evaluations WHERE * ORDER BY coalesce(*",
        "sorts what it finds: SEARCH evaluations USING INDEX evaluations_{provider|model|suite}_recent (*=?*)",
    ),
    (
        "SELECT … FROM prompts WHERE *(prompts.created_at >= ?)) AND ((prompts.created_at < ?)* ORDER BY *",
        "sorts what it finds: SEARCH prompts USING INDEX prompts_*recent (*created_at>? AND created_at<?)",
    ),
    // Filters that a good part of all rows meets, or that nobody can know anything about: it walks along the order.
    (
        "SELECT … FROM prompts WHERE {*(prompts.status *|*json_each(prompts.tags)*|*newer_version*|*(prompts.created_at *}",
        "walks past rows: * prompts USING INDEX prompts_*",
    ),
    (
        "SELECT … FROM evaluations WHERE *(evaluations.{status IN (|overall_score |created_at }*",
        "walks past rows: * evaluations USING INDEX evaluations_*",
    ),
    (
        "SELECT … FROM runs WHERE *(runs.{source IN (|status IN (|is_baseline = |created_at }*",
        "walks past rows: * runs USING INDEX runs_*",
    ),
    // Of two columns with an index, the one in whose order a page begins at a place.
    (
        "SELECT … FROM evaluations WHERE (*(evaluations.provider = ?)* ORDER BY coalesce(*",
        "walks past rows: SEARCH evaluations USING INDEX evaluations_score (<expr>{<|>}?)",
    ),
    // Only the best prompts with so many scores are wanted.
    (
        "SELECT … FROM prompt_totals * +prompt_totals.scored_count >= ? *",
        "walks past rows: * prompt_totals_*average (*",
    ),
    // A name is found and not the place after it: names of templates are unique.
    (
        "SELECT … FROM prompt_templates WHERE *prompt_templates.name, prompt_templates.id) *",
        "walks past rows: SEARCH prompt_templates USING INDEX sqlite_autoindex_prompt_templates_2 (name{<|>}?)",
    ),
    // The best models since a time: all evaluations are read in the order of the models, so that none is sorted.
    (
        "SELECT provider, model, * AND evaluations.created_at >= ? *",
        "reads a range: SEARCH evaluations USING INDEX evaluations_provider_recent (provider>?)",
    ),
];

pub const IN_POSTGRES: &[Allowed] = &[
    // The best models since a time: all evaluations since are added up, and the time says how many of all that is.
    ("SELECT provider, model, * AND evaluations.created_at >= ? *", "reads all: Seq Scan on evaluations"),
    // Figures about everything: what is kept of all prompts is added up. For one user's, it is looked up or read of all.
    (
        "SELECT (SELECT count(*) FROM prompts WHERE {((prompts.deleted_at IS NULL))|((prompts.user_id = ?)) *}), *",
        "reads all: Seq Scan on prompt_totals",
    ),
    // What somebody wants counted, or owns, among all evaluations of a provider.
    (
        "SELECT {count(*) FROM evaluations WHERE *(evaluations.overall_score |… FROM evaluations WHERE (((SELECT … }*",
        "discards what it finds: * by evaluations_provider_recent (provider = *",
    ),
    // Orders within a parent for which there is no index: see docs/decisions.md. As long as all evaluations are few, PostgreSQL
    // may find it cheaper to walk along that order of all of them until enough of the run's have come.
    (
        "*WHERE evaluations.prompt_id = parent.id * ORDER BY coalesce(evaluations.{position|execution_time_ms}, *",
        "sorts * on evaluations*",
    ),
    (
        "*WHERE evaluations.run_id = parent.id * ORDER BY coalesce(evaluations.overall_score, *",
        "sorts * on evaluations*|walks past rows: * on evaluations by evaluations_score*",
    ),
    (
        "*WHERE evaluations.run_id = parent.id * ORDER BY coalesce(evaluations.execution_time_ms, *",
        "sorts * on evaluations*|walks past rows: * on evaluations by evaluations_execution_time*",
    ),
    (
        "*WHERE test_results.evaluation_id = parent.id * ORDER BY coalesce(test_results.latency_ms, *",
        "sorts * Bitmap Index Scan on  by test_results_evaluation_* (evaluation_id = parent.id)",
    ),
    // Some rows have the tags, few or many, and PostgreSQL has to believe something.
    ("SELECT … FROM prompts WHERE *prompts.tags @> ?*", "walks past rows: * prompts_*"),
    // Filters that narrow all evaluations down, in orders other than by time: see docs/decisions.md.
    (
        "SELECT … FROM evaluations WHERE *(evaluations.test_suite_id = ?)* ORDER BY coalesce(*",
        "sorts * by evaluations_suite_recent (test_suite_id = *)",
    ),
    (
        "SELECT … FROM evaluations WHERE ((evaluations.provider = ?)) AND ((evaluations.model = ?))* ORDER BY coalesce(*",
        "walks past rows: * evaluations_*",
    ),
    // It knows nothing of the values of two parameters, and believes that few scores are between them.
    (
        "SELECT … FROM evaluations WHERE *(evaluations.overall_score >= ?)) AND ((evaluations.overall_score <= ?)*",
        "walks past rows: * evaluations_*|discards what it finds: * by evaluations_provider_recent (provider = *",
    ),
];
