//! What can be asked for: the types of the schema.

use std::collections::BTreeMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition};

/// An argument, or a field of an input.
#[derive(Debug, Clone)]
pub struct Input {
    pub name: String,
    pub ty: Type,
}

/// A field of an object.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: String,
    pub arguments: Vec<Input>,
    /// The type of what it returns, without lists.
    pub returns: String,
}

/// A type, as far as operations need to know it.
#[derive(Debug)]
pub enum Kind {
    Scalar,
    Enum(Vec<String>),
    Input(Vec<Input>),
    Object(Vec<Field>),
    /// The types that it can be.
    Interface(Vec<String>),
}

/// All types by their names.
pub struct Grammar(BTreeMap<String, Kind>);

/// Fields whose values differ between two equal databases: the time at which they were computed.
const TIMES_OF_ANSWERS: [&str; 1] = ["computedAt"];

impl Grammar {
    pub fn of_the_schema() -> Self {
        let mut types =
            BTreeMap::from(["ID", "Int", "Float", "String", "Boolean"].map(|scalar| (scalar.to_owned(), Kind::Scalar)));
        let mut implementations = Vec::new();
        for definition in parse_schema(evalgraph::graphql::sdl()).unwrap().definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.to_string();
            let kind = match definition.node.kind {
                TypeKind::Scalar => Kind::Scalar,
                TypeKind::Enum(kind) => {
                    Kind::Enum(kind.values.into_iter().map(|value| value.node.value.node.to_string()).collect())
                }
                TypeKind::InputObject(kind) => {
                    let input = |field: async_graphql::Positioned<
                        async_graphql::parser::types::InputValueDefinition,
                    >| {
                        Input { name: field.node.name.node.to_string(), ty: field.node.ty.node }
                    };
                    Kind::Input(kind.fields.into_iter().map(input).collect())
                }
                TypeKind::Object(kind) => {
                    implementations.extend(kind.implements.iter().map(|of| (of.node.to_string(), name.clone())));
                    Kind::Object(kind.fields.into_iter().filter_map(|field| Field::of(field.node)).collect())
                }
                TypeKind::Interface(_) => Kind::Interface(Vec::new()),
                TypeKind::Union(_) => panic!("the schema has no unions: teach this test what they are"),
            };
            types.insert(name, kind);
        }
        for (interface, object) in implementations {
            if let Some(Kind::Interface(objects)) = types.get_mut(&interface) {
                objects.push(object);
            }
        }
        Self(types)
    }

    pub fn kind(&self, name: &str) -> &Kind {
        self.0.get(name).unwrap_or_else(|| panic!("the schema has no type {name}"))
    }

    pub fn fields(&self, object: &str) -> &[Field] {
        match self.kind(object) {
            Kind::Object(fields) => fields,
            other => panic!("{object} is no object: {other:?}"),
        }
    }

    /// Whether fields of this type have fields themselves.
    pub fn is_composite(&self, name: &str) -> bool {
        matches!(self.kind(name), Kind::Object(_) | Kind::Interface(_))
    }

    /// The names of an object's fields that are values and have no arguments.
    pub fn plain_fields(&self, object: &str) -> Vec<&str> {
        let fields = self.fields(object).iter();
        let plain = fields.filter(|field| field.arguments.is_empty() && !self.is_composite(&field.returns));
        plain.map(|field| field.name.as_str()).collect()
    }

    /// The connections that fields of the root are, as a field with its type.
    pub fn lists_at_the_root(&self) -> impl Iterator<Item = &Field> {
        self.fields("Query").iter().filter(|field| field.returns.ends_with("Connection"))
    }
}

impl Field {
    fn of(field: FieldDefinition) -> Option<Self> {
        let name = field.name.node.to_string();
        let arguments = field.arguments.into_iter();
        let arguments =
            arguments.map(|argument| Input { name: argument.node.name.node.to_string(), ty: argument.node.ty.node });
        let returns = named(&field.ty.node).to_owned();
        let is_the_same = !TIMES_OF_ANSWERS.contains(&name.as_str());
        is_the_same.then(|| Self { arguments: arguments.collect(), returns, name })
    }
}

/// The type that a list is of, or that is itself.
fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => named(inner),
    }
}
