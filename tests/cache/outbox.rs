//! What the triggers write down.

use evalgraph::domain::TestOutcome;
use uuid::Uuid;

use crate::common::{
    EvaluationBuilder, PromptBuilder, ResultBuilder, RunBuilder, TemplateBuilder, TestDatabase, on_both_databases, sql,
};

async fn tags(database: &TestDatabase) -> Vec<String> {
    let tags = sql::texts(&database.location, "SELECT DISTINCT tag AS value FROM cache_outbox ORDER BY tag").await;
    database.execute("DELETE FROM cache_outbox").await;
    let mut tags: Vec<String> = tags;
    tags.sort();
    tags
}

fn sorted<const N: usize>(tags: [String; N]) -> Vec<String> {
    let mut tags = tags.to_vec();
    tags.sort();
    tags.dedup();
    tags
}

fn tag(kind: &str, id: impl Into<Uuid>) -> String {
    format!("{kind}:{}", id.into().simple())
}

on_both_databases! {
    async fn every_change_names_what_could_show_it(database: TestDatabase) {
        let template = TemplateBuilder::new().insert(&database).await;
        assert_eq!(tags(&database).await, [tag("t", template.id)]);
        let prompt = PromptBuilder::new().user("ada").insert(&database).await;
        assert_eq!(tags(&database).await, sorted([tag("p", prompt.id), "P:ada".to_owned()]));
        let run = RunBuilder::new().insert(&database).await;
        assert_eq!(tags(&database).await, [tag("r", run.id)]);
        let evaluation = EvaluationBuilder::of(&prompt).run(&run, 0).insert(&database).await;
        let of_evaluation = sorted([tag("e", evaluation.id), tag("pe", prompt.id), tag("re", run.id)]);
        assert_eq!(tags(&database).await, of_evaluation);
        for name in ["one", "two"] {
            ResultBuilder::of(&evaluation).name(name).outcome(TestOutcome::Failed).insert(&database).await;
        }
        assert_eq!(tags(&database).await, [tag("er", evaluation.id)]);
        for (statement, expected) in [
            ("UPDATE prompt_templates SET usage_count = 7", sorted([tag("t", template.id)])),
            ("UPDATE prompts SET title = 'other'", sorted([tag("p", prompt.id), "P:ada".to_owned()])),
            ("UPDATE runs SET name = 'other'", sorted([tag("r", run.id)])),
            ("UPDATE evaluations SET model = 'other'", of_evaluation.clone()),
            ("UPDATE test_results SET reason = 'other'", sorted([tag("er", evaluation.id)])),
            (
                "UPDATE prompts SET user_id = 'bob'",
                sorted([
                    tag("p", prompt.id),
                    "P:ada".to_owned(),
                    "P:bob".to_owned(),
                    tag("pe", prompt.id),
                    tag("e", evaluation.id),
                    tag("er", evaluation.id),
                    tag("re", run.id),
                ]),
            ),
            ("DELETE FROM test_results", sorted([tag("er", evaluation.id)])),
        ] {
            database.execute(statement).await;
            assert_eq!(tags(&database).await, expected, "{statement}");
        }
        ResultBuilder::of(&evaluation).insert(&database).await;
        tags(&database).await;
        // What goes with it goes too.
        database.execute("DELETE FROM runs").await;
        let with_it = sorted([tag("r", run.id), tag("e", evaluation.id), tag("pe", prompt.id), tag("re", run.id), tag("er", evaluation.id)]);
        assert_eq!(tags(&database).await, with_it);
        database.execute("DELETE FROM prompts").await;
        assert_eq!(tags(&database).await, sorted([tag("p", prompt.id), "P:bob".to_owned(), tag("pe", prompt.id)]));
        database.execute("DELETE FROM prompt_templates").await;
        assert_eq!(tags(&database).await, [tag("t", template.id)]);
    }

    async fn nothing_is_left_of_what_was_rolled_back(database: TestDatabase) {
        PromptBuilder::new().insert(&database).await;
        tags(&database).await;
        database.execute("BEGIN; UPDATE prompts SET title = 'other'; ROLLBACK").await;
        assert_eq!(tags(&database).await, Vec::<String>::new());
    }
}
