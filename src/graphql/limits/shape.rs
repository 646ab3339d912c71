//! What the limits need to know of the schema: which fields have objects, and how many.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, ServiceDocument, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, Positioned};

use super::arguments::{LIMIT_ARGUMENT, size_of_const};

/// The types of introspection, which no schema lists
/// (<https://spec.graphql.org/September2025/#sec-Schema-Introspection.Schema-Introspection-Schema>).
const INTROSPECTION: &str = "
    type __Schema {
        types: [__Type!]! queryType: __Type! mutationType: __Type subscriptionType: __Type directives: [__Directive!]!
    }
    type __Type {
        fields: [__Field!] interfaces: [__Type!] possibleTypes: [__Type!] enumValues: [__EnumValue!]
        inputFields: [__InputValue!] ofType: __Type
    }
    type __Field { args: [__InputValue!]! type: __Type! }
    type __InputValue { type: __Type! }
    type __EnumValue { name: String! }
    type __Directive { args: [__InputValue!]! }
    type __Root { __schema: __Schema! __type: __Type }
";

/// The root fields of introspection, as a type of our own.
const INTROSPECTION_ROOT: &str = "__Root";

/// The end of the name of every type of pages.
const CONNECTION: &str = "Connection";

/// The end of the name of the type that each field returns which changes something, and the beginning where it has as many
/// objects as the field was given.
const PAYLOAD: &str = "Payload";
const BULK: &str = "Bulk";

/// How many objects a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplicity {
    /// One at most.
    One,
    /// One page, whose objects are in fields with `PerNode`.
    Page,
    /// One for each object of the page, or of the list of objects to be changed, that the field belongs to.
    PerNode,
    /// One that tells of as many objects as there are in the list of those to be changed, in fields with `PerNode`.
    Bulk,
    /// As many as its arguments say; without them, `usual`.
    List {
        /// The default of the argument that limits the list, where it has one.
        usual: Option<u64>,
    },
    /// So many.
    Fixed(u64),
}

/// A field with objects.
#[derive(Debug)]
pub struct FieldShape {
    /// The type of the objects.
    pub type_name: String,
    /// How many there are.
    pub multiplicity: Multiplicity,
}

/// The fields of a type that have objects, by name.
pub type TypeShape = HashMap<String, FieldShape>;

/// The fields with objects of all types.
#[derive(Debug)]
pub struct SchemaShape {
    types: HashMap<String, TypeShape>,
    /// The names of the types of queries, mutations and subscriptions.
    pub roots: Roots,
}

/// The names of the root types.
#[derive(Debug, Default)]
pub struct Roots {
    /// Of queries.
    pub query: String,
    /// Of mutations, if there are any.
    pub mutation: Option<String>,
    /// Of subscriptions, if there are any.
    pub subscription: Option<String>,
}

impl SchemaShape {
    /// The shape of a schema.
    pub fn new(schema: &ServiceDocument) -> Self {
        let introspection = parse_schema(INTROSPECTION).expect("the types of introspection are GraphQL");
        let sizes = IntrospectionSizes::new(schema);
        let definitions = || type_definitions(schema).chain(type_definitions(&introspection));
        let composite: HashSet<_> =
            definitions().filter(|it| is_composite(it)).map(|it| it.name.node.as_str()).collect();
        let mut types: HashMap<_, _> = definitions()
            .map(|definition| (definition.name.node.to_string(), type_shape(definition, &composite, &sizes)))
            .collect();
        let roots = roots(schema);
        let introspection_root = types.remove(INTROSPECTION_ROOT).unwrap_or_default();
        types.entry(roots.query.clone()).or_default().extend(introspection_root);
        Self { types, roots }
    }

    /// Whether this field changes a list of objects at once.
    pub fn is_bulk(&self, field: &str) -> bool {
        let shape = self.roots.mutation.as_ref().and_then(|root| self.of(root)?.get(field));
        shape.is_some_and(|shape| shape.multiplicity == Multiplicity::Bulk)
    }

    /// The fields with objects of a type; none of a type that does not exist.
    pub fn of(&self, type_name: &str) -> Option<&TypeShape> {
        self.types.get(type_name)
    }
}

fn roots(schema: &ServiceDocument) -> Roots {
    let definition = schema.definitions.iter().find_map(|definition| match definition {
        TypeSystemDefinition::Schema(definition) => Some(&definition.node),
        _ => None,
    });
    let name = |name: &Positioned<Name>| name.node.to_string();
    Roots {
        query: definition.and_then(|it| it.query.as_ref()).map_or_else(|| "Query".to_owned(), name),
        mutation: definition.and_then(|it| it.mutation.as_ref()).map(name),
        subscription: definition.and_then(|it| it.subscription.as_ref()).map(name),
    }
}

fn type_definitions(document: &ServiceDocument) -> impl Iterator<Item = &TypeDefinition> {
    document.definitions.iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(&definition.node),
        _ => None,
    })
}

fn fields(definition: &TypeDefinition) -> &[Positioned<FieldDefinition>] {
    match &definition.kind {
        TypeKind::Object(object) => &object.fields,
        TypeKind::Interface(interface) => &interface.fields,
        _ => &[],
    }
}

const fn is_composite(definition: &TypeDefinition) -> bool {
    matches!(definition.kind, TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_))
}

fn type_shape(definition: &TypeDefinition, composite: &HashSet<&str>, sizes: &IntrospectionSizes) -> TypeShape {
    let owner = definition.name.node.as_str();
    let with_objects = fields(definition).iter().filter(|field| composite.contains(innermost(&field.node.ty.node)));
    let shapes = with_objects.map(|field| {
        let field = &field.node;
        let name = field.name.node.to_string();
        let shape = FieldShape {
            type_name: innermost(&field.ty.node).to_owned(),
            multiplicity: sizes.of(owner, &name).map_or_else(|| multiplicity(owner, field), Multiplicity::Fixed),
        };
        (name, shape)
    });
    shapes.collect()
}

fn multiplicity(owner: &str, field: &FieldDefinition) -> Multiplicity {
    let is_list = matches!(field.ty.node.base, BaseType::List(_));
    let type_name = innermost(&field.ty.node);
    match is_list {
        false if type_name.ends_with(CONNECTION) => Multiplicity::Page,
        false if type_name.ends_with(PAYLOAD) && takes_a_list(field) => Multiplicity::Bulk,
        false => Multiplicity::One,
        true if owner.ends_with(CONNECTION) || (owner.starts_with(BULK) && owner.ends_with(PAYLOAD)) => {
            Multiplicity::PerNode
        }
        true => {
            let limit = field.arguments.iter().find(|argument| argument.node.name.node == LIMIT_ARGUMENT);
            let usual = limit.and_then(|limit| size_of_const(&limit.node.default_value.as_ref()?.node));
            Multiplicity::List { usual }
        }
    }
}

fn takes_a_list(field: &FieldDefinition) -> bool {
    field.arguments.iter().any(|argument| matches!(argument.node.ty.node.base, BaseType::List(_)))
}

fn innermost(list: &Type) -> &str {
    let mut base = &list.base;
    loop {
        match base {
            BaseType::Named(name) => return name.as_str(),
            BaseType::List(item) => base = &item.base,
        }
    }
}

/// The scalars and the types of introspection that are in every schema and listed by none, and the directives.
const BUILT_IN_TYPES: usize = 13;
const BUILT_IN_DIRECTIVES: usize = 5;

/// How long the lists of introspection are. Those from which the same types can be reached again count with the longest
/// that there is, because a query can go round and round in them; a type has as many fields as types have on the
/// average, so that asking once for everything costs about as many values as the answer has. Going round by way of the
/// fields costs more than it yields that way, too: many fields lead to types without any.
struct IntrospectionSizes {
    types: u64,
    directives: u64,
    fields: u64,
    arguments: u64,
    input_fields: u64,
    enum_values: u64,
    interfaces: u64,
    possible_types: u64,
}

impl IntrospectionSizes {
    fn new(schema: &ServiceDocument) -> Self {
        let types = || type_definitions(schema).map(|definition| &definition.kind);
        let fields = || type_definitions(schema).flat_map(fields);
        let directives =
            schema.definitions.iter().filter(|it| matches!(it, TypeSystemDefinition::Directive(_))).count();
        let longest = |length: fn(&TypeKind) -> usize| size(types().map(length).max().unwrap_or_default());
        Self {
            types: size(types().count() + BUILT_IN_TYPES),
            directives: size(directives + BUILT_IN_DIRECTIVES),
            fields: average(fields().count(), types().count()),
            arguments: average(fields().map(|field| field.node.arguments.len()).sum(), fields().count()),
            input_fields: longest(|kind| if let TypeKind::InputObject(it) = kind { it.fields.len() } else { 0 }),
            enum_values: longest(|kind| if let TypeKind::Enum(it) = kind { it.values.len() } else { 0 }),
            interfaces: longest(|kind| interfaces(kind).len()),
            possible_types: most_possible_types(schema),
        }
    }

    fn of(&self, owner: &str, field: &str) -> Option<u64> {
        match (owner, field) {
            ("__Schema", "types") => Some(self.types),
            ("__Schema", "directives") => Some(self.directives),
            ("__Type", "fields") => Some(self.fields),
            ("__Type", "interfaces") => Some(self.interfaces),
            ("__Type", "possibleTypes") => Some(self.possible_types),
            ("__Type", "enumValues") => Some(self.enum_values),
            ("__Type", "inputFields") => Some(self.input_fields),
            ("__Field" | "__Directive", "args") => Some(self.arguments),
            _ => None,
        }
    }
}

fn interfaces(kind: &TypeKind) -> &[Positioned<Name>] {
    match kind {
        TypeKind::Object(object) => &object.implements,
        TypeKind::Interface(interface) => &interface.implements,
        _ => &[],
    }
}

/// The members of the largest union, or the types that have the interface that most types have.
fn most_possible_types(schema: &ServiceDocument) -> u64 {
    let mut types: HashMap<&str, usize> = HashMap::new();
    for definition in type_definitions(schema) {
        for interface in interfaces(&definition.kind) {
            *types.entry(interface.node.as_str()).or_default() += 1;
        }
        if let TypeKind::Union(union) = &definition.kind {
            types.insert(definition.name.node.as_str(), union.members.len());
        }
    }
    size(types.into_values().max().unwrap_or_default())
}

fn average(all: usize, of: usize) -> u64 {
    size(all.div_ceil(of.max(1)))
}

/// The length of a list, one at least.
fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX).max(1)
}
