//! Which columns a part of a document needs.

use async_graphql::{Context, SelectionField};

use crate::db::columns::ColumnSet;

/// The fields of a type that are read from columns on demand, each with its columns.
pub type FieldColumns = &'static [(&'static str, ColumnSet)];

/// The columns for the object that the current field returns.
pub fn of_object(context: &Context<'_>, columns: FieldColumns) -> ColumnSet {
    of_fields(context.field(), columns)
}

/// The columns for the object that the field `name` of the current field's object returns.
pub fn of_member(context: &Context<'_>, name: &str, columns: FieldColumns) -> ColumnSet {
    context
        .field()
        .selection_set()
        .filter(|field| field.name() == name)
        .map(|field| of_fields(field, columns))
        .collect()
}

/// The columns for the objects in the connection that the current field returns.
pub fn of_connection(context: &Context<'_>, columns: FieldColumns) -> ColumnSet {
    context
        .field()
        .selection_set()
        .map(|field| match field.name() {
            "nodes" => of_fields(field, columns),
            "edges" => field
                .selection_set()
                .filter(|field| field.name() == "node")
                .map(|field| of_fields(field, columns))
                .collect(),
            _ => ColumnSet::NONE,
        })
        .collect()
}

/// Whether the current field's object is asked for one of the fields.
pub fn selects_any(context: &Context<'_>, names: &[&str]) -> bool {
    context.field().selection_set().any(|field| names.contains(&field.name()))
}

fn of_fields(field: SelectionField<'_>, columns: FieldColumns) -> ColumnSet {
    field
        .selection_set()
        .filter_map(|field| columns.iter().find(|(name, _)| *name == field.name()).map(|(_, column)| *column))
        .collect()
}
