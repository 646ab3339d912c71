//! The schema as clients see it.

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    EnumType, InputObjectType, InterfaceType, ObjectType, TypeDefinition, TypeKind, TypeSystemDefinition,
};

/// Clients read `schema.graphql`; the server serves what the code says.
#[test]
fn the_committed_schema_is_the_one_served() {
    let committed = include_str!("../schema.graphql");
    assert!(
        committed == evalgraph::graphql::sdl(),
        "schema.graphql has drifted; to write it anew: cargo run -- schema > schema.graphql",
    );
}

/// The descriptions are the manual: whatever a client can name has one.
#[test]
fn everything_in_the_schema_is_described() {
    let document = parse_schema(evalgraph::graphql::sdl()).unwrap();
    let types = document.definitions.iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(&definition.node),
        _ => None,
    });
    let parts: Vec<_> = types.flat_map(parts).collect();
    assert!(parts.len() > 300, "the schema is not that small");
    let missing: Vec<_> = parts.into_iter().filter(|(_, described)| !described).map(|(name, _)| name).collect();
    assert!(missing.is_empty(), "without a description: {missing:#?}");
}

/// A type and all that it has: the coordinate of each, and whether it is described.
fn parts(definition: &TypeDefinition) -> Vec<(String, bool)> {
    let name = &definition.name.node;
    let mut parts = vec![(name.to_string(), definition.description.is_some())];
    match &definition.kind {
        TypeKind::Object(ObjectType { fields, .. }) | TypeKind::Interface(InterfaceType { fields, .. }) => {
            for Positioned { node: field, .. } in fields {
                let coordinate = format!("{name}.{}", field.name.node);
                parts.extend(field.arguments.iter().map(|argument| {
                    let Positioned { node: argument, .. } = argument;
                    (format!("{coordinate}({})", argument.name.node), argument.description.is_some())
                }));
                parts.push((coordinate, field.description.is_some()));
            }
        }
        TypeKind::Enum(EnumType { values }) => parts.extend(
            values.iter().map(|value| (format!("{name}.{}", value.node.value.node), value.node.description.is_some())),
        ),
        TypeKind::InputObject(InputObjectType { fields }) => parts.extend(
            fields.iter().map(|field| (format!("{name}.{}", field.node.name.node), field.node.description.is_some())),
        ),
        TypeKind::Scalar | TypeKind::Union(_) => {}
    }
    parts
}
