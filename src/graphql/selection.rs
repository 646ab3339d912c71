//! Which wide columns a part of a document needs.

use async_graphql::{Context, SelectionField};

use crate::db::columns::ColumnSet;

/// The fields of a type that are read from wide columns.
pub type WideFields = &'static [(&'static str, ColumnSet)];

/// The columns for the object that the current field returns.
pub fn of_object(context: &Context<'_>, wide: WideFields) -> ColumnSet {
    of_fields(context.field(), wide)
}

/// The columns for the object that the field `name` of the current field's object returns.
pub fn of_member(context: &Context<'_>, name: &str, wide: WideFields) -> ColumnSet {
    context.field().selection_set().filter(|field| field.name() == name).map(|field| of_fields(field, wide)).collect()
}

/// The columns for the objects in the connection that the current field returns.
pub fn of_connection(context: &Context<'_>, wide: WideFields) -> ColumnSet {
    context
        .field()
        .selection_set()
        .map(|field| match field.name() {
            "nodes" => of_fields(field, wide),
            "edges" => field
                .selection_set()
                .filter(|field| field.name() == "node")
                .map(|field| of_fields(field, wide))
                .collect(),
            _ => ColumnSet::NONE,
        })
        .collect()
}

/// Whether the current field's object is asked for one of the fields.
pub fn selects_any(context: &Context<'_>, names: &[&str]) -> bool {
    context.field().selection_set().any(|field| names.contains(&field.name()))
}

fn of_fields(field: SelectionField<'_>, wide: WideFields) -> ColumnSet {
    field
        .selection_set()
        .filter_map(|field| wide.iter().find(|(name, _)| *name == field.name()).map(|(_, column)| *column))
        .collect()
}
