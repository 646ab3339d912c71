//! Lists of values as one parameter, so that a statement's text does not depend on their number.
//!
//! PostgreSQL takes an array. SQLite takes a JSON array, unfolded with `json_each`.

use std::fmt::Write as _;

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Array, Bool, Text};
use diesel::sqlite::Sqlite;
use uuid::Uuid;

use super::types::sql;

/// Identifiers as one parameter.
#[derive(Debug, Clone)]
pub struct IdList {
    ids: Vec<Uuid>,
    /// The form that SQLite takes: a JSON array of hexadecimal texts.
    hex: String,
}

impl IdList {
    /// The list of these identifiers, in their order.
    pub fn new(ids: Vec<Uuid>) -> Self {
        let mut hex = String::with_capacity(ids.len() * 35 + 2);
        hex.push('[');
        for (index, id) in ids.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(hex, "{comma}\"{}\"", id.simple());
        }
        hex.push(']');
        Self { ids, hex }
    }

    pub(in crate::db) fn push_array<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<Array<sql::Uuid>, _>(&self.ids)
    }

    pub(in crate::db) fn push_json<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_bind_param::<Text, _>(&self.hex)
    }
}

/// `column` is one of the identifiers.
///
/// One identifier alone is compared with `=`. PostgreSQL plans for an unknown array as if it had ten elements, so that it never
/// took the plan that it keeps for any value: a look at one row was planned anew every time, which took longer than the look.
#[derive(Debug, Clone)]
pub struct AnyId<C> {
    column: C,
    ids: IdList,
}

/// The condition that `column` is one of `ids`.
pub fn any_id<C>(column: C, ids: impl IntoIterator<Item = impl Into<Uuid>>) -> AnyId<C> {
    AnyId { column, ids: IdList::new(ids.into_iter().map(Into::into).collect()) }
}

impl<C: QueryFragment<Pg>> QueryFragment<Pg> for AnyId<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        if let [id] = self.ids.ids.as_slice() {
            out.push_sql(" = ");
            return out.push_bind_param::<sql::Uuid, _>(id);
        }
        out.push_sql(" = ANY(");
        self.ids.push_array(&mut out)?;
        out.push_sql(")");
        Ok(())
    }
}

impl<C: QueryFragment<Sqlite>> QueryFragment<Sqlite> for AnyId<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        if let [id] = self.ids.ids.as_slice() {
            out.push_sql(" = ");
            return out.push_bind_param::<sql::Uuid, _>(id);
        }
        out.push_sql(" IN (SELECT unhex(value) FROM json_each(");
        self.ids.push_json(&mut out)?;
        out.push_sql("))");
        Ok(())
    }
}

/// Texts as one parameter.
#[derive(Debug, Clone)]
struct TextList {
    texts: Vec<String>,
    json: String,
}

impl TextList {
    fn new(texts: Vec<String>) -> Self {
        let json = serde_json::Value::from(texts.clone()).to_string();
        Self { texts, json }
    }
}

/// `column` is one of the texts.
#[derive(Debug, Clone)]
pub struct AnyText<C> {
    column: C,
    texts: TextList,
}

/// The condition that `column` is one of `texts`.
pub fn any_text<C>(column: C, texts: impl IntoIterator<Item = impl Into<String>>) -> AnyText<C> {
    AnyText { column, texts: TextList::new(texts.into_iter().map(Into::into).collect()) }
}

impl<C: QueryFragment<Pg>> QueryFragment<Pg> for AnyText<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" = ANY(");
        out.push_bind_param::<Array<Text>, _>(&self.texts.texts)?;
        out.push_sql(")");
        Ok(())
    }
}

impl<C: QueryFragment<Sqlite>> QueryFragment<Sqlite> for AnyText<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IN (SELECT value FROM json_each(");
        out.push_bind_param::<Text, _>(&self.texts.json)?;
        out.push_sql("))");
        Ok(())
    }
}

/// The JSON array in `column` contains all of the texts.
#[derive(Debug, Clone)]
pub struct ContainsAll<C> {
    column: C,
    json: super::types::Json,
}

/// The condition that the JSON array in `column` contains every one of `texts`.
pub fn contains_all<C>(column: C, texts: &[String]) -> ContainsAll<C> {
    ContainsAll { column, json: serde_json::Value::from(texts).into() }
}

impl<C: QueryFragment<Pg>> QueryFragment<Pg> for ContainsAll<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" @> ");
        out.push_bind_param::<sql::Jsonb, _>(&self.json)
    }
}

impl<C: QueryFragment<Sqlite>> QueryFragment<Sqlite> for ContainsAll<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("NOT EXISTS (SELECT 1 FROM json_each(");
        out.push_bind_param::<sql::Jsonb, _>(&self.json)?;
        out.push_sql(") AS wanted WHERE NOT EXISTS (SELECT 1 FROM json_each(");
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(") AS present WHERE present.value = wanted.value))");
        Ok(())
    }
}

macro_rules! boolean_expressions {
    ($($name:ident),*) => {$(
        impl<C> Expression for $name<C> {
            type SqlType = Bool;
        }
        impl<C: AppearsOnTable<QS>, QS> AppearsOnTable<QS> for $name<C> {}
        impl<C: SelectableExpression<QS>, QS> SelectableExpression<QS> for $name<C> {}
        impl<C, GB> ValidGrouping<GB> for $name<C> {
            type IsAggregate = is_aggregate::No;
        }
        // Statements are told apart by their text: that of one identifier is another than that of several.
        impl<C> QueryId for $name<C> {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }
    )*};
}

boolean_expressions!(AnyId, AnyText, ContainsAll);

/// What both backends can render: a piece of SQL without a type.
pub trait Fragment: QueryFragment<Pg> + QueryFragment<Sqlite> + Send + Sync {}

impl<T: QueryFragment<Pg> + QueryFragment<Sqlite> + Send + Sync> Fragment for T {}

/// A boxed [`Fragment`]; Diesel's own boxed expressions belong to one backend.
pub struct BoxedFragment(Box<dyn Fragment>);

impl BoxedFragment {
    /// Boxes a fragment.
    pub fn new(fragment: impl Fragment + 'static) -> Self {
        Self(Box::new(fragment))
    }
}

impl<DB: Backend> QueryFragment<DB> for BoxedFragment
where
    dyn Fragment: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}
