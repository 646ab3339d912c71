//! `evalgraph token`.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use chrono::TimeDelta;
use clap::{Args, Subcommand};

use super::user;
use crate::auth::ApiTokens;
use crate::auth::api_tokens::ApiToken;
use crate::config::Settings;
use crate::db::api_tokens::{ApiTokenFilter, ApiTokenRow, ApiTokens as Table};
use crate::db::columns::ColumnSet;
use crate::db::entity::Entity as _;
use crate::db::page::{Bound, Order, Positioned as _, Slice};
use crate::db::pool::DatabaseLocation;
use crate::db::{Database, StatementCount, migrate};
use crate::domain::{ApiTokenId, ApiTokenOrderField, Deed, Principal, Scopes, Timestamp, TokenScope};
use crate::graphql::{api_token_id, read_api_token_id};
use crate::writes::api_tokens::{CreateApiToken, RevokeApiToken};
use crate::writes::perform;

/// How many tokens are read at a time.
const PAGE: i64 = 500;

/// What can be done with API tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it. It is shown this once
    Create(CreateArguments),
    /// Print all tokens, those that have ended too, without their secrets
    List {
        /// Only those of this user
        #[arg(long, value_name = "ID", value_parser = user::name)]
        user: Option<String>,
    },
    /// End tokens, and those that were made with them
    Revoke {
        /// The ids, as `token list` prints them
        #[arg(required = true, value_name = "ID", value_parser = read_api_token_id)]
        ids: Vec<ApiTokenId>,
    },
}

/// What is to be known of a new token.
#[derive(Debug, Args)]
pub struct CreateArguments {
    /// On whose behalf it is used
    #[arg(long, value_name = "ID", default_value = Principal::LOCAL_USER, value_parser = user::name)]
    user: String,
    /// What it is for, to tell it from others
    #[arg(long, value_name = "TEXT", value_parser = user::name)]
    name: String,
    /// What it may be used for: read, write, ingest, admin. Several are separated by commas
    #[arg(long, required = true, value_name = "SCOPE", value_delimiter = ',', value_parser = scope)]
    scope: Vec<TokenScope>,
    /// After how many days it ends. Without it, it does not end by itself
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    expires_in_days: Option<u32>,
}

fn scope(text: &str) -> Result<TokenScope, String> {
    text.parse().map_err(|_| "it must be one of read, write, ingest, admin".to_owned())
}

/// Carries out the command, as an administrator.
pub async fn run(settings: &Settings, location: &DatabaseLocation, command: TokenCommand) -> anyhow::Result<()> {
    let secret = settings.authentication()?.token_secret;
    let Some(secret) = secret else {
        bail!(
            "there are no API tokens without the secret that keeps them: give auth_token_secret (--auth-token-secret or \
             EVALGRAPH_AUTH_TOKEN_SECRET), the same to this command and to all servers"
        );
    };
    migrate::migrate(location).await?;
    let database = Database::open(location, &settings.command_pool()).await?;
    match command {
        TokenCommand::Create(arguments) => create(&database, &secret, arguments).await,
        TokenCommand::List { user } => list(&database, user).await,
        TokenCommand::Revoke { ids } => revoke(&database, ids).await,
    }
}

async fn create(database: &Database, secret: &str, arguments: CreateArguments) -> anyhow::Result<()> {
    let token = ApiToken::generate();
    let days = arguments.expires_in_days.map(|days| TimeDelta::days(days.into()).num_milliseconds());
    let write = CreateApiToken {
        name: arguments.name,
        hash: ApiTokens::new(database.clone(), secret).hash(&token),
        scopes: Scopes::of(arguments.scope),
        expires_at: days.map(|millis| Timestamp::now().plus_millis(millis)),
        columns: ColumnSet::ALL,
    };
    let deed = Deed::command("token create", &arguments.user);
    let row = perform(database, &StatementCount::default(), deed, write).await?;
    let row = row.map_err(|refusal| anyhow::anyhow!("{}", problems(&refusal)))?;
    // The token alone on standard output, for a program to take; everything else beside it.
    eprintln!("{}\nKeep the token: it is shown this once.", line(&row));
    writeln!(std::io::stdout(), "{}", token.expose()).context("standard output cannot be written")
}

async fn list(database: &Database, user: Option<String>) -> anyhow::Result<()> {
    let filter = ApiTokenFilter { user_id: user };
    let order = Order::descending(ApiTokenOrderField::CreatedAt);
    let mut after = None;
    loop {
        let (filter, slice) = (filter.clone(), Slice { order, after: after.take(), before: None, limit: PAGE });
        let count = StatementCount::default();
        let page = database.read(&count, move |connection| {
            Table::page(connection, &Principal::local(), &filter, slice, ColumnSet::ALL)
        });
        let rows = page.await?;
        for row in &rows {
            writeln!(std::io::stdout(), "{}", line(row)).context("standard output cannot be written")?;
        }
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(Bound { position: last.position(order.field), inclusive: false });
    }
}

async fn revoke(database: &Database, ids: Vec<ApiTokenId>) -> anyhow::Result<()> {
    let mut missing = Vec::new();
    for id in ids {
        let write = RevokeApiToken { id, columns: ColumnSet::ALL };
        let deed = Deed::command("token revoke", Principal::LOCAL_USER);
        match perform(database, &StatementCount::default(), deed, write).await? {
            Ok(row) => writeln!(std::io::stdout(), "{}", line(&row)).context("standard output cannot be written")?,
            Err(_) => missing.push(api_token_id(id)),
        }
    }
    if missing.is_empty() { Ok(()) } else { bail!("there is no such token: {}", missing.join(", ")) }
}

fn problems(refusal: &crate::writes::Refusal) -> String {
    refusal.faults.iter().map(|fault| fault.problem.as_str()).collect::<Vec<_>>().join("; ")
}

/// A token in words, with its id first.
fn line(row: &Arc<ApiTokenRow>) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let time =
        |time: Option<Timestamp>, otherwise: &str| time.map_or_else(|| otherwise.to_owned(), |time| time.to_string());
    let end = match (row.revoked_at, row.expires_at) {
        (Some(revoked), _) => format!("revoked {revoked}"),
        (None, Some(end)) if end <= Timestamp::now() => format!("expired {end}"),
        (None, end) => format!("expires {}", time(end, "never")),
    };
    format!(
        "{}  {}  [{}]  {}  created {}, {end}, last used {}",
        api_token_id(row.id),
        text(&row.user_id),
        text(&row.scopes),
        text(&row.name),
        row.created_at,
        time(row.last_used_at, "never"),
    )
}
