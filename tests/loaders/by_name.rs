//! Rows by what people and tools call them, and the figures about everything.

use evalgraph::db::columns::ColumnSet;
use evalgraph::db::prompts::Prompts;
use evalgraph::db::runs::Runs;
use evalgraph::db::templates::Templates;
use evalgraph::domain::{Principal, PromptStatus, RunSource};
use evalgraph::loaders::{PromptNameKey, RunExternalIdKey, TemplateNameKey};

use crate::Request;
use crate::common::{EvaluationBuilder, PromptBuilder, RunBuilder, on_both_databases};
use crate::on_demand::OnDemand as _;
use crate::tree::Tree;

fn prompt(name: &str, version: Option<i32>) -> PromptNameKey {
    PromptNameKey { name: name.to_owned(), version, columns: ColumnSet::NONE }
}

fn run(external_id: &str, source: Option<RunSource>) -> RunExternalIdKey {
    RunExternalIdKey { external_id: external_id.to_owned(), source, columns: ColumnSet::NONE }
}

fn template(name: &str) -> TemplateNameKey {
    TemplateNameKey { name: name.to_owned(), columns: ColumnSet::NONE }
}

on_both_databases! {
    async fn prompts_are_found_by_name_and_version(database: TestDatabase) {
        let tree = Tree::plant("alice", &database).await;
        let request = Request::new(&database);
        let name = "prompt of alice";
        let keys = [
            prompt(name, None),
            prompt("prompt of nobody", None),
            prompt(name, Some(1)),
            prompt(name, Some(3)),
            prompt(name, None),
        ];
        let found: Vec<_> = request
            .ask(|loaders| &loaders.prompt_by_name, keys)
            .await
            .iter()
            .map(|row| row.as_ref().map(|row| row.id))
            .collect();
        assert_eq!(found, [Some(tree.prompt.id), None, Some(tree.root.id), None, Some(tree.prompt.id)]);
        // One for each name and version.
        assert_eq!(request.statements.get(), 4);
    }

    async fn own_prompts_and_runs_go_before_those_of_others(database: TestDatabase) {
        let own = PromptBuilder::new().user(Principal::LOCAL_USER).name("shared").insert(&database).await;
        let bobs = PromptBuilder::new().user("bob").name("shared").insert(&database).await;
        let newer = PromptBuilder::new().version_of(&bobs).insert(&database).await;
        let own_run = RunBuilder::new().external_id("shared").insert(&database).await;
        let bobs_run = RunBuilder::new().user("bob").external_id("shared").insert(&database).await;
        for (principal, prompt_id, run_id) in [
            (Principal::local(), own.id, own_run.id),
            (Principal { is_admin: true, ..Principal::user("bob") }, newer.id, bobs_run.id),
            // One who has neither gets the newest of anybody.
            (Principal { is_admin: true, ..Principal::user("carol") }, newer.id, bobs_run.id),
        ] {
            let request = Request::of(principal.clone(), &database);
            let found = request.ask(|loaders| &loaders.prompt_by_name, [prompt("shared", None)]).await.remove(0);
            assert_eq!(found.map(|row| row.id), Some(prompt_id), "{principal:?}");
            let found = request.ask(|loaders| &loaders.run_by_external_id, [run("shared", None)]).await.remove(0);
            assert_eq!(found.map(|row| row.id), Some(run_id), "{principal:?}");
        }
    }

    async fn runs_are_found_by_the_id_and_name_of_their_tool(database: TestDatabase) {
        let csv = RunBuilder::new().external_id("42").source(RunSource::Csv).insert(&database).await;
        let jsonl = RunBuilder::new().external_id("42").source(RunSource::Jsonl).insert(&database).await;
        let request = Request::new(&database);
        let keys = [
            run("42", Some(RunSource::Csv)),
            run("42", Some(RunSource::Jsonl)),
            run("42", Some(RunSource::Api)),
            run("42", None),
            run("4", None),
            run("42", Some(RunSource::Csv)),
        ];
        let found: Vec<_> = request
            .ask(|loaders| &loaders.run_by_external_id, keys)
            .await
            .iter()
            .map(|row| row.as_ref().map(|row| row.id))
            .collect();
        // Without a tool: the newest.
        assert_eq!(found, [Some(csv.id), Some(jsonl.id), None, Some(jsonl.id), None, Some(csv.id)]);
        assert_eq!(request.statements.get(), 5);
    }

    async fn templates_are_found_by_name(database: TestDatabase) {
        let tree = Tree::plant("alice", &database).await;
        let request = Request::new(&database);
        let keys = [template("none"), template(&tree.template.name), template(&tree.template.name)];
        let found: Vec<_> = request
            .ask(|loaders| &loaders.template_by_name, keys)
            .await
            .iter()
            .map(|row| row.as_ref().map(|row| row.id))
            .collect();
        assert_eq!(found, [None, Some(tree.template.id), Some(tree.template.id)]);
        assert_eq!(request.statements.get(), 2);
    }

    async fn what_is_found_by_name_has_the_columns_that_were_asked_for(database: TestDatabase) {
        let tree = Tree::plant("alice", &database).await;
        let request = Request::new(&database);
        for columns in [ColumnSet::NONE, ColumnSet::single(1), ColumnSet::ALL] {
            let key = PromptNameKey { columns, ..prompt("prompt of alice", None) };
            let found = request.ask(|loaders| &loaders.prompt_by_name, [key]).await.remove(0);
            Prompts::assert_read(&found.unwrap(), columns);
            let key = RunExternalIdKey { columns, ..run("run of alice", None) };
            let found = request.ask(|loaders| &loaders.run_by_external_id, [key]).await.remove(0);
            Runs::assert_read(&found.unwrap(), columns);
            let key = TemplateNameKey { columns, ..template(&tree.template.name) };
            let found = request.ask(|loaders| &loaders.template_by_name, [key]).await.remove(0);
            Templates::assert_read(&found.unwrap(), columns);
        }
    }

    async fn figures_are_computed_once_in_one_statement(database: TestDatabase) {
        let tree = Tree::plant("alice", &database).await;
        PromptBuilder::new().user("alice").status(PromptStatus::Draft).insert(&database).await;
        EvaluationBuilder::of(&tree.prompt).score(0.5).tests(1, 2, 1).insert(&database).await;
        let request = Request::new(&database);
        let figures = request.ask(|loaders| &loaders.statistics, [(), ()]).await.remove(0);
        assert_eq!((figures.prompt_count, figures.active_prompt_count, figures.run_count), (3, 2, 1));
        assert_eq!((figures.evaluation_count, figures.test_result_count), (2, 5));
        assert_eq!((figures.average_score, figures.pass_rate), (Some(0.5), Some(0.4)));
        assert_eq!(request.statements.get(), 1);

        let figures = Request::of(Principal::user("bob"), &database).ask(|loaders| &loaders.statistics, [()]).await;
        assert_eq!((figures[0].average_score, figures[0].pass_rate), (None, None));
    }
}
