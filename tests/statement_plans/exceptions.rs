//! What plans may do though it grows with the tables.

/// A fault in the plans of some statements that is allowed.
#[derive(Debug, Clone, Copy)]
pub struct Exception {
    /// The shape of the statements; `*` stands for anything.
    pub statement: &'static str,
    /// The fault, or one of several with `|` between them; `*` stands for anything.
    pub fault: &'static str,
}

const fn allow(statement: &'static str, fault: &'static str) -> Exception {
    Exception { statement, fault }
}

pub const IN_BOTH: &[Exception] = &[
    // The length of a list that is under no parent: whoever asks for `totalCount` has it counted.
    allow("SELECT count(*) FROM prompts WHERE *", "reads all: *prompts*"),
    allow("SELECT count(*) FROM runs WHERE *", "reads all: *runs*"),
    allow("SELECT count(*) FROM evaluations WHERE *", "reads all: *evaluations*"),
    allow("SELECT count(*) FROM prompt_templates WHERE *", "reads all: *prompt_templates*"),
    // Figures about everything.
    allow("SELECT (SELECT count(*) FROM prompts WHERE *", "reads all: *"),
    // The best models of all prompts: what is kept of every prompt is added up, but for the deleted ones. What is sorted
    // are the models. For one user's, PostgreSQL looks up what is kept of each prompt or reads it of all, whichever it
    // takes for less.
    allow("SELECT provider, model, * FROM prompt_model_totals *", "reads all: * prompt_model_totals"),
    allow("SELECT provider, model, * FROM prompt_model_totals WHERE *", "*: * prompts * prompts_deleted"),
    allow("SELECT provider, model, * AS models ORDER BY average_score DESC *", "sorts *"),
    // Who is no administrator and lists all evaluations walks past those of others: see docs/decisions.md.
    allow(
        "SELECT … FROM evaluations WHERE (((SELECT … FROM prompts WHERE (prompts.id = evaluations.prompt_id) LIMIT ?) = ?))*",
        "walks past rows: * evaluations_*",
    ),
    // A list of all results, which the API does not have; tests look at it.
    allow(
        "SELECT … FROM test_results WHERE (((SELECT … FROM *) LIMIT ?) = ?)) ORDER BY *",
        "reads all: * test_results*|sorts * test_results*",
    ),
];

pub const IN_SQLITE: &[Exception] = &[
    // The cases of two evaluations are compared: see docs/decisions.md.
    allow("WITH results AS (SELECT 0 AS side, *", "sorts *"),
    // Orders within a parent for which there is no index: see docs/decisions.md.
    allow(
        "*WHERE evaluations.prompt_id = unhex(parent.value) * ORDER BY coalesce(evaluations.position, *",
        "sorts what it finds: SEARCH evaluations USING INDEX * (prompt_id=?*)",
    ),
    allow(
        "*WHERE evaluations.prompt_id = unhex(parent.value) * ORDER BY coalesce(evaluations.execution_time_ms, *",
        "sorts what it finds: SEARCH evaluations USING INDEX * (prompt_id=?*)",
    ),
    allow(
        "*WHERE evaluations.run_id = unhex(parent.value) * ORDER BY coalesce(evaluations.overall_score, *",
        "sorts what it finds: SEARCH evaluations USING INDEX * (run_id=?*)",
    ),
    allow(
        "*WHERE evaluations.run_id = unhex(parent.value) * ORDER BY coalesce(evaluations.execution_time_ms, *",
        "sorts what it finds: SEARCH evaluations USING INDEX * (run_id=?*)",
    ),
    allow(
        "*WHERE test_results.evaluation_id = unhex(parent.value) * ORDER BY coalesce(test_results.latency_ms, *",
        "sorts what it finds: SEARCH test_results USING INDEX * (evaluation_id=?*)",
    ),
    allow(
        "*WHERE prompts.root_id = unhex(parent.value) * ORDER BY prompts.title *",
        "sorts what it finds: SEARCH prompts USING INDEX * (root_id=?)",
    ),
    allow(
        "*WHERE prompts.root_id = unhex(parent.value) * ORDER BY prompts.updated_at *",
        "sorts what it finds: SEARCH prompts USING INDEX * (root_id=?)",
    ),
    allow(
        "*WHERE prompts.template_id = unhex(parent.value) * ORDER BY prompts.title *",
        "sorts what it finds: SEARCH prompts USING INDEX prompts_template_recent (template_id=?)",
    ),
    allow(
        "*WHERE prompts.template_id = unhex(parent.value) * ORDER BY prompts.updated_at *",
        "sorts what it finds: SEARCH prompts USING INDEX prompts_template_recent (template_id=?)",
    ),
    // Of an evaluation's results those with certain scores are found first: they are some of its results.
    allow(
        "*WHERE test_results.evaluation_id = unhex(parent.value) *test_results.score * ORDER BY *",
        "sorts what it finds: SEARCH test_results USING INDEX test_results_evaluation_score (evaluation_id=? AND score*",
    ),
    // Those that did not pass, likewise.
    allow(
        "*WHERE test_results.evaluation_id = unhex(parent.value) * NOT (test_results.passed)* ORDER BY *",
        "sorts what it finds: SEARCH test_results USING INDEX test_results_evaluation_not_passed (evaluation_id=?*",
    ),
    // Of a parent's rows those of certain times are found first: they are some of its rows.
    allow(
        "*unhex(parent.value)*.created_at * ORDER BY *",
        "sorts what it finds: SEARCH * USING INDEX *_recent (*_id=? AND created_at*",
    ),
    // What has a name or an identity of its tool: a few rows of each owner.
    allow(
        "*FROM prompts WHERE *(prompts.name = ?)*",
        "sorts what it finds: SEARCH prompts USING INDEX prompts_name (name=?*",
    ),
    allow(
        "*FROM prompts WHERE *(prompts.name = ?)*",
        "sorts what it finds: SEARCH prompts USING INDEX prompts_user_name_version (user_id=? AND name=?*",
    ),
    allow("*WHERE prompts.template_id = *(prompts.name = ?)*", "does not look for prompts.template_id"),
    allow(
        "SELECT … FROM runs WHERE *(runs.external_id = ?)* ORDER BY (runs.user_id = ?) DESC, *",
        "sorts what it finds: SEARCH runs USING INDEX runs_external (external_id=?)",
    ),
    // SQLite does not know how many rows meet a filter, nor how many are wanted. It looks them up by the filter where there
    // is an index for that, in a list under no parent, and sorts them. What is found by words: see docs/decisions.md.
    allow(
        "SELECT … FROM prompts WHERE *(prompts.name >= ?)) AND ((prompts.name < ?)* ORDER BY *",
        "sorts what it finds: SEARCH prompts USING INDEX prompts_*name* (*name>? AND name<?)*",
    ),
    allow(
        "SELECT … FROM prompts WHERE *prompt_search MATCH ?* ORDER BY *",
        "sorts what it finds: SEARCH prompts USING INDEX sqlite_autoindex_prompts_1 (id=?)",
    ),
    allow(
        "SELECT … FROM prompts WHERE *(prompts.status = ?)* ORDER BY *",
        "sorts what it finds: SEARCH prompts USING INDEX prompts_*status_recent (*status=?*)",
    ),
    allow(
        "SELECT … FROM evaluations WHERE * ORDER BY coalesce(*",
        "sorts what it finds: SEARCH evaluations USING INDEX evaluations_provider_recent (provider=?*)",
    ),
    allow(
        "SELECT … FROM evaluations WHERE * ORDER BY coalesce(*",
        "sorts what it finds: SEARCH evaluations USING INDEX evaluations_model_recent (model=?*)",
    ),
    allow(
        "SELECT … FROM evaluations WHERE * ORDER BY coalesce(*",
        "sorts what it finds: SEARCH evaluations USING INDEX evaluations_suite_recent (test_suite_id=?*)",
    ),
    allow(
        "SELECT … FROM prompts WHERE *(prompts.created_at >= ?)) AND ((prompts.created_at < ?)* ORDER BY *",
        "sorts what it finds: SEARCH prompts USING INDEX prompts_*recent (*created_at>? AND created_at<?)",
    ),
    // Filters that a good part of all rows meets, or that nobody can know anything about: it walks along the order.
    allow("SELECT … FROM prompts WHERE *(prompts.status IN (*", "walks past rows: SCAN prompts USING INDEX prompts_*"),
    allow(
        "SELECT … FROM prompts WHERE *json_each(prompts.tags)*",
        "walks past rows: SCAN prompts USING INDEX prompts_*",
    ),
    allow("SELECT … FROM prompts WHERE *newer_version*", "walks past rows: SCAN prompts USING INDEX prompts_*"),
    allow("SELECT … FROM prompts WHERE *(prompts.created_at *", "walks past rows: SCAN prompts USING INDEX prompts_*"),
    allow(
        "SELECT … FROM evaluations WHERE *(evaluations.status IN (*",
        "walks past rows: SCAN evaluations USING INDEX evaluations_*",
    ),
    allow(
        "SELECT … FROM evaluations WHERE *(evaluations.overall_score *",
        "walks past rows: SCAN evaluations USING INDEX evaluations_*",
    ),
    allow(
        "SELECT … FROM evaluations WHERE *(evaluations.created_at *",
        "walks past rows: SCAN evaluations USING INDEX evaluations_*",
    ),
    allow("SELECT … FROM runs WHERE *(runs.source IN (*", "walks past rows: SCAN runs USING INDEX runs_*"),
    allow("SELECT … FROM runs WHERE *(runs.status IN (*", "walks past rows: SCAN runs USING INDEX runs_*"),
    allow("SELECT … FROM runs WHERE *(runs.is_baseline = ?*", "walks past rows: SCAN runs USING INDEX runs_*"),
    allow("SELECT … FROM runs WHERE *(runs.created_at *", "walks past rows: SCAN runs USING INDEX runs_*"),
];

pub const IN_POSTGRES: &[Exception] = &[
    // The best models since a time: all evaluations since are added up, and the time says how many of all that is.
    allow("SELECT provider, model, * AND evaluations.created_at >= ? *", "reads all: Seq Scan on evaluations"),
    // Orders within a parent for which there is no index: see docs/decisions.md. PostgreSQL may find it cheaper to walk
    // along that order of all evaluations until enough of the run's have come.
    allow(
        "*WHERE evaluations.prompt_id = parent.id * ORDER BY coalesce(evaluations.execution_time_ms, *",
        "sorts * on evaluations*|walks past rows: * on evaluations by evaluations_*",
    ),
    allow(
        "*WHERE evaluations.prompt_id = parent.id * ORDER BY coalesce(evaluations.position, *",
        "sorts * on evaluations*|walks past rows: * on evaluations by evaluations_*",
    ),
    allow(
        "*WHERE evaluations.run_id = parent.id * ORDER BY coalesce(evaluations.execution_time_ms, *",
        "sorts * on evaluations*|walks past rows: * on evaluations by evaluations_*",
    ),
    allow(
        "*WHERE evaluations.run_id = parent.id * ORDER BY coalesce(evaluations.overall_score, *",
        "sorts * on evaluations*|walks past rows: * on evaluations by evaluations_*",
    ),
    allow(
        "*WHERE test_results.evaluation_id = parent.id * ORDER BY coalesce(test_results.latency_ms, *",
        "sorts * Bitmap Index Scan on  by test_results_evaluation_* (evaluation_id = parent.id)",
    ),
    // Some rows have the tags, few or many, and PostgreSQL has to believe something.
    allow("SELECT … FROM prompts WHERE *prompts.tags @> ?*", "walks past rows: * prompts_*"),
    // Filters that narrow all evaluations down, in orders other than by time: see docs/decisions.md.
    allow(
        "SELECT … FROM evaluations WHERE *(evaluations.test_suite_id = ?)* ORDER BY coalesce(*",
        "sorts * by evaluations_suite_recent (test_suite_id = *)",
    ),
    allow(
        "SELECT … FROM evaluations WHERE ((evaluations.provider = ?)) AND ((evaluations.model = ?))* ORDER BY coalesce(*",
        "walks past rows: * evaluations_*",
    ),
    // It knows nothing of the values of two parameters, and believes that few scores are between them.
    allow(
        "SELECT … FROM evaluations WHERE *(evaluations.overall_score >= ?)) AND ((evaluations.overall_score <= ?)*",
        "walks past rows: * evaluations_*",
    ),
];
