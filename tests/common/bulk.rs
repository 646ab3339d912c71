//! Many rows, made by the databases themselves: what plans and benchmarks are looked at with.

/// How many rows of each kind, and how many parents share them.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// The users that prompts and runs belong to.
    pub users: usize,
    pub templates: usize,
    pub prompts: usize,
    pub runs: usize,
    /// The prompts, and the runs, that have evaluations, if there are so many.
    pub evaluated: usize,
    pub evaluations: usize,
    /// The evaluations that have results.
    pub tested: usize,
    pub results: usize,
}

/// The two ways to say things.
struct Dialect {
    is_postgres: bool,
}

impl Dialect {
    /// The id of the row with this number.
    fn id(&self, number: &str) -> String {
        if self.is_postgres {
            format!("lpad(to_hex({number}), 32, '0')::uuid")
        } else {
            format!("unhex(printf('%032x', {number}))")
        }
    }

    /// The time of row `n`, a minute after the row before it.
    fn time(&self) -> &'static str {
        if self.is_postgres { "timestamptz '2026-01-01' + n * interval '1 minute'" } else { "n * 60000000" }
    }

    fn json(&self, text: &str) -> String {
        let cast = if self.is_postgres { "::jsonb" } else { "" };
        format!("'{text}'{cast}")
    }

    /// The numbers `n` from 1 to `count`.
    fn numbers(&self, count: usize) -> String {
        if self.is_postgres {
            format!("generate_series(1, {count}) AS s (n)")
        } else {
            format!(
                "(WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < {count}) SELECT n FROM c)"
            )
        }
    }
}

/// The statements that fill an empty database, and have its statistics made.
pub fn statements(is_postgres: bool, sizes: Sizes) -> Vec<String> {
    let dialect = Dialect { is_postgres };
    let mut statements = vec![templates(&dialect, sizes), prompts(&dialect, sizes), runs(&dialect, sizes)];
    statements.extend([evaluations(&dialect, sizes), results(&dialect, sizes), totals(is_postgres)]);
    statements.push(if is_postgres { "VACUUM ANALYZE" } else { "ANALYZE" }.to_owned());
    statements
}

fn templates(dialect: &Dialect, sizes: Sizes) -> String {
    let (id, time, numbers) = (dialect.id("n"), dialect.time(), dialect.numbers(sizes.templates));
    format!(
        "INSERT INTO prompt_templates (id, name, template, category, usage_count, created_at, updated_at)
         SELECT {id}, 'template ' || n, 'text', 'category ' || (n % 20), n % 50, {time}, {time} FROM {numbers}"
    )
}

/// Lineages of three versions; every fiftieth prompt is deleted.
fn prompts(dialect: &Dialect, sizes: Sizes) -> String {
    let (id, time, numbers) = (dialect.id("n"), dialect.time(), dialect.numbers(sizes.prompts));
    let (root, parent) = (dialect.id("(n - 1) / 3 * 3 + 1"), dialect.id("n - 1"));
    let template = dialect.id(&format!("n % {} + 1", sizes.templates));
    let users = sizes.users;
    let (rare, usual) = (dialect.json(r#"["a"]"#), dialect.json(r#"["b", "c"]"#));
    format!(
        "INSERT INTO prompts (id, user_id, name, title, content, content_hash, version, root_id, parent_id, template_id, tags,
           status, created_at, updated_at, deleted_at)
         SELECT {id}, 'user ' || ((n - 1) / 3 % {users}), 'name ' || ((n - 1) / 3), 'title ' || (n % 997), 'text', 'hash ' || n,
           (n - 1) % 3 + 1, {root}, CASE WHEN (n - 1) % 3 > 0 THEN {parent} END, CASE WHEN n % 5 = 0 THEN {template} END,
           CASE WHEN n % 30 = 0 THEN {rare} ELSE {usual} END,
           CASE n % 4 WHEN 0 THEN 'draft' WHEN 1 THEN 'archived' ELSE 'active' END, {time}, {time},
           CASE WHEN n % 50 = 0 THEN {time} END FROM {numbers} ORDER BY n"
    )
}

fn runs(dialect: &Dialect, sizes: Sizes) -> String {
    let (id, time, numbers) = (dialect.id("n"), dialect.time(), dialect.numbers(sizes.runs));
    let users = sizes.users;
    format!(
        "INSERT INTO runs (id, user_id, external_id, source, name, status, created_at, updated_at)
         SELECT {id}, 'user ' || (n % {users}), 'run ' || n, 'promptfoo', 'name ' || (n % 300), 'completed', {time}, {time}
         FROM {numbers}"
    )
}

/// Evenly spread over the prompts and runs that have some; every ninth has no score.
fn evaluations(dialect: &Dialect, sizes: Sizes) -> String {
    let (id, time, numbers) = (dialect.id("n"), dialect.time(), dialect.numbers(sizes.evaluations));
    let (prompts, runs) = (sizes.evaluated.min(sizes.prompts), sizes.evaluated.min(sizes.runs));
    let prompt = dialect.id(&format!("n % {prompts} + 1"));
    // Not in step with the prompts.
    let run = dialect.id(&format!("n / {prompts} % {runs} + 1"));
    format!(
        "INSERT INTO evaluations (id, prompt_id, run_id, position, external_id, test_suite_id, status, provider, model,
           overall_score, execution_time_ms, created_at, updated_at)
         SELECT {id}, {prompt}, {run}, n, 'evaluation ' || n, 'suite ' || (n % 400),
           CASE n % 10 WHEN 0 THEN 'failed' ELSE 'completed' END, 'provider ' || (n % 7), 'model ' || (n % 31),
           CASE WHEN n % 9 = 0 THEN NULL ELSE n % 101 / 100.0 END, n % 5000, {time}, {time} FROM {numbers}"
    )
}

/// Evenly spread over the evaluations that have some; every tenth did not pass.
fn results(dialect: &Dialect, sizes: Sizes) -> String {
    let (id, time, numbers) = (dialect.id("n"), dialect.time(), dialect.numbers(sizes.results));
    let parents = sizes.tested.min(sizes.evaluations);
    let evaluation = dialect.id(&format!("n % {parents} + 1"));
    format!(
        "INSERT INTO test_results (id, evaluation_id, external_id, position, test_case_name, case_hash, score, outcome, passed,
           latency_ms, created_at, updated_at)
         SELECT {id}, {evaluation}, 'result ' || n, n / {parents}, 'case ' || (n / {parents}), 'hash ' || (n / {parents}),
           n % 11 / 10.0, CASE n % 10 WHEN 0 THEN 'failed' ELSE 'passed' END, n % 10 <> 0, n % 700, {time}, {time}
         FROM {numbers}"
    )
}

/// The totals of prompts, as the migration computes them that makes their tables.
fn totals(is_postgres: bool) -> String {
    let migration = if is_postgres {
        include_str!("../../migrations/postgres/20261123000400_create_totals/up.sql")
    } else {
        include_str!("../../migrations/sqlite/20261123000400_create_totals/up.sql")
    };
    let begin = migration.find("INSERT INTO prompt_totals").expect("the migration fills its tables");
    migration[begin..].to_owned()
}
