//! The schema as clients see it.

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    EnumType, FieldDefinition, InputObjectType, InputValueDefinition, InterfaceType, ObjectType, TypeDefinition,
    TypeKind, TypeSystemDefinition,
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

/// What was promised to clients is there, with the same names, arguments, defaults and nullability.
#[test]
fn the_schema_keeps_its_promises() {
    let mut promised = elements(include_str!("data/schema/read_side.graphql"));
    promised.extend(elements(include_str!("data/schema/write_side.graphql")));
    promised.extend(elements(include_str!("data/schema/recording.graphql")));
    let served = elements(&evalgraph::graphql::sdl());
    assert!(promised.len() > 250, "more is promised than {}", promised.len());
    let missing: Vec<_> = promised.iter().filter(|element| !served.contains(element)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    // An argument that must be given would break the requests of those who do not know it.
    let is_new = |element: &&Element| {
        let is_of_promised_field = promised.iter().any(|known| known.coordinate == element.owner());
        element.is_required_argument() && is_of_promised_field && !promised.contains(element)
    };
    // Nor may an input want more than was promised.
    let is_new_in_input = |element: &&Element| {
        let of_promised_input = |owner: &str| promised.contains(&Element::new(owner, "input"));
        let owner = element.coordinate.split_once('.').map(|(owner, _)| owner);
        element.is.ends_with('!') && owner.is_some_and(of_promised_input) && !promised.contains(element)
    };
    let is_new = |element: &&Element| is_new(element) || is_new_in_input(element);
    let new: Vec<_> = served.iter().filter(is_new).collect();
    assert!(new.is_empty(), "{new:#?}");
}

/// A part of a schema: a type, a field, an argument, a value.
#[derive(Debug, PartialEq, Eq)]
struct Element {
    /// Where it is, such as `Query.prompts(first)`.
    coordinate: String,
    /// Its type with its default; its kind, if it is a type itself.
    is: String,
}

impl Element {
    fn new(coordinate: impl Into<String>, is: impl Into<String>) -> Self {
        Self { coordinate: coordinate.into(), is: is.into() }
    }

    /// The field that an argument is of.
    fn owner(&self) -> &str {
        self.coordinate.split('(').next().unwrap_or_default()
    }

    fn is_required_argument(&self) -> bool {
        self.coordinate.ends_with(')') && self.is.ends_with('!')
    }
}

fn elements(schema: &str) -> Vec<Element> {
    let document = parse_schema(schema).unwrap();
    let mut elements = Vec::new();
    for definition in &document.definitions {
        if let TypeSystemDefinition::Type(definition) = definition {
            add_type(&definition.node, &mut elements);
        }
    }
    elements
}

fn add_type(definition: &TypeDefinition, elements: &mut Vec<Element>) {
    let name = definition.name.node.as_str();
    match &definition.kind {
        TypeKind::Scalar => elements.push(Element::new(name, "scalar")),
        TypeKind::Object(ObjectType { implements, fields }) => {
            elements.push(Element::new(name, "object"));
            elements.extend(implements.iter().map(|interface| Element::new(name, format!("a {}", interface.node))));
            fields.iter().for_each(|field| add_field(name, &field.node, elements));
        }
        TypeKind::Interface(InterfaceType { fields, .. }) => {
            elements.push(Element::new(name, "interface"));
            fields.iter().for_each(|field| add_field(name, &field.node, elements));
        }
        TypeKind::Union(_) => elements.push(Element::new(name, "union")),
        TypeKind::Enum(EnumType { values }) => {
            elements.push(Element::new(name, "enum"));
            elements.extend(values.iter().map(|value| Element::new(name, value.node.value.node.as_str())));
        }
        TypeKind::InputObject(InputObjectType { fields }) => {
            elements.push(Element::new(name, "input"));
            elements.extend(fields.iter().map(|field| input(format!("{name}.{}", field.node.name.node), &field.node)));
        }
    }
}

fn add_field(owner: &str, field: &FieldDefinition, elements: &mut Vec<Element>) {
    let coordinate = format!("{owner}.{}", field.name.node);
    let argument = |argument: &Positioned<InputValueDefinition>| {
        input(format!("{coordinate}({})", argument.node.name.node), &argument.node)
    };
    elements.extend(field.arguments.iter().map(argument));
    elements.push(Element::new(coordinate, field.ty.node.to_string()));
}

fn input(coordinate: String, value: &InputValueDefinition) -> Element {
    let default = value.default_value.as_ref().map_or(String::new(), |default| format!(" = {}", default.node));
    Element::new(coordinate, format!("{}{default}", value.ty.node))
}
