//! How our values look in the two databases.
//!
//! Diesel's own types belong to one backend each. Those below carry the type of both, so that one schema and one set
//! of rows serve PostgreSQL and SQLite:
//!
//! | here | PostgreSQL | SQLite |
//! |---|---|---|
//! | [`sql::Uuid`] | `uuid` | 16 bytes |
//! | [`sql::Timestamptz`] | `timestamptz` | microseconds since 1970, 64 bits |
//! | [`sql::Jsonb`] | `jsonb` | text |

use std::io::Write as _;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, Text};
use diesel::sqlite::Sqlite;

use crate::domain::{
    ApiTokenId, AuditEntryId, AuditOrigin, EvaluationId, EvaluationStatus, PromptFormat, PromptId, PromptStatus, RunId,
    RunSource, TemplateId, TestCaseChange, TestOutcome, TestResultId, Timestamp,
};

/// The SQL types of the schema, under the names that `diesel print-schema` gives them.
pub mod sql {
    pub use diesel::sql_types::{Array, Bool, Float8, Int4, Int8, Nullable, Text};

    /// An identifier. The numbers are the type's in `pg_type`: with a name Diesel would look them up per connection.
    #[derive(Debug, Clone, Copy, Default, diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
    #[diesel(postgres_type(oid = 2950, array_oid = 2951))]
    #[diesel(sqlite_type(name = "Binary"))]
    pub struct Uuid;

    /// A point in time.
    #[derive(Debug, Clone, Copy, Default, diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
    #[diesel(postgres_type(oid = 1184, array_oid = 1185))]
    #[diesel(sqlite_type(name = "Long"))]
    pub struct Timestamptz;

    // `diesel::table!` wants arithmetic for every type of this name. Nothing here uses it.
    impl diesel::sql_types::ops::Add for Timestamptz {
        type Rhs = diesel::sql_types::Interval;
        type Output = Self;
    }

    impl diesel::sql_types::ops::Sub for Timestamptz {
        type Rhs = diesel::sql_types::Interval;
        type Output = Self;
    }

    /// A JSON document.
    #[derive(Debug, Clone, Copy, Default, diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
    #[diesel(postgres_type(oid = 3802, array_oid = 3807))]
    #[diesel(sqlite_type(name = "Text"))]
    pub struct Jsonb;
}

/// A JSON document as the text that the database keeps; it is parsed only where somebody asks for it.
#[derive(Debug, Clone, PartialEq, Eq, AsExpression, FromSqlRow, serde::Serialize, serde::Deserialize)]
#[diesel(sql_type = sql::Jsonb)]
pub struct Json(String);

impl Json {
    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the document is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.0.trim_start().starts_with('{')
    }

    /// Whether it is another document. PostgreSQL does not keep one as it was written.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> bool {
        let read = |json: &Self| serde_json::from_str::<serde_json::Value>(&json.0).ok();
        self != other && read(self) != read(other)
    }

    /// The document `[]`.
    #[must_use]
    pub fn empty_array() -> Self {
        Self("[]".to_owned())
    }

    /// The document `{}`.
    #[must_use]
    pub fn empty_object() -> Self {
        Self("{}".to_owned())
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Self(value.to_string())
    }
}

impl FromSql<sql::Jsonb, Pg> for Json {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        // The binary form of jsonb is the version, 1, and then the text.
        match value.as_bytes() {
            [1, text @ ..] => Ok(Self(std::str::from_utf8(text)?.to_owned())),
            _ => Err("a jsonb value of an unknown version".into()),
        }
    }
}

impl ToSql<sql::Jsonb, Pg> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[1])?;
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<sql::Jsonb, Sqlite> for Json {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <String as FromSql<Text, Sqlite>>::from_sql(value).map(Self)
    }
}

impl ToSql<sql::Jsonb, Sqlite> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_str());
        Ok(IsNull::No)
    }
}

macro_rules! id_columns {
    ($($name:ty),*) => {$(
        impl<DB: Backend> FromSql<sql::Uuid, DB> for $name
        where
            uuid::Uuid: FromSql<sql::Uuid, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                uuid::Uuid::from_sql(value).map(Self)
            }
        }

        impl<DB: Backend> ToSql<sql::Uuid, DB> for $name
        where
            uuid::Uuid: ToSql<sql::Uuid, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                self.0.to_sql(out)
            }
        }
    )*};
}

impl FromSql<sql::Uuid, Pg> for uuid::Uuid {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::from_slice(value.as_bytes())?)
    }
}

impl FromSql<sql::Uuid, Sqlite> for uuid::Uuid {
    fn from_sql(mut value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::from_slice(value.read_blob())?)
    }
}

impl ToSql<sql::Uuid, Pg> for uuid::Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<sql::Uuid, Sqlite> for uuid::Uuid {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        <[u8] as ToSql<Binary, Sqlite>>::to_sql(self.as_bytes(), out)
    }
}

id_columns!(PromptId, RunId, EvaluationId, TestResultId, TemplateId, ApiTokenId, AuditEntryId);

/// PostgreSQL counts time from the beginning of 2000.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

impl FromSql<sql::Timestamptz, Pg> for Timestamp {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = <i64 as FromSql<BigInt, Pg>>::from_sql(value)?;
        timestamp_from(micros.checked_add(POSTGRES_EPOCH_MICROS))
    }
}

impl ToSql<sql::Timestamptz, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros = self.micros().saturating_sub(POSTGRES_EPOCH_MICROS);
        <i64 as ToSql<BigInt, Pg>>::to_sql(&micros, &mut out.reborrow())
    }
}

impl FromSql<sql::Timestamptz, Sqlite> for Timestamp {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        timestamp_from(Some(<i64 as FromSql<BigInt, Sqlite>>::from_sql(value)?))
    }
}

impl ToSql<sql::Timestamptz, Sqlite> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.micros());
        Ok(IsNull::No)
    }
}

fn timestamp_from(micros: Option<i64>) -> deserialize::Result<Timestamp> {
    micros.and_then(Timestamp::from_micros).ok_or_else(|| "a time outside of the calendar".into())
}

macro_rules! text_enum_columns {
    ($($name:ty),*) => {$(
        impl<DB: Backend> FromSql<Text, DB> for $name
        where
            String: FromSql<Text, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                Ok(String::from_sql(value)?.parse()?)
            }
        }

        impl<DB: Backend> ToSql<Text, DB> for $name
        where
            str: ToSql<Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                self.as_str().to_sql(out)
            }
        }
    )*};
}

text_enum_columns!(PromptStatus, PromptFormat, EvaluationStatus, TestOutcome, TestCaseChange, RunSource, AuditOrigin);
