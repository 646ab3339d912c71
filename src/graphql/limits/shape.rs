//! What the limits need to know of the schema: which fields have objects, and how many.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    BaseType, FieldDefinition, ServiceDocument, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use async_graphql::parser::{self, parse_schema};

use super::page_sizes::{LIMIT_ARGUMENT, size_of_const};

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

/// How many objects a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplicity {
    /// One at most.
    One,
    /// One page, whose objects are in fields with `PerNode`.
    Page,
    /// One for each object of the page that the field belongs to.
    PerNode,
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
    /// Reads a schema.
    pub fn parse(sdl: &str) -> Result<Self, parser::Error> {
        let (schema, introspection) = (parse_schema(sdl)?, parse_schema(INTROSPECTION)?);
        let sizes = IntrospectionSizes::new(&schema);
        let definitions = || type_definitions(&schema).chain(type_definitions(&introspection));
        let composite: HashSet<_> =
            definitions().filter(|it| is_composite(it)).map(|it| it.name.node.as_str()).collect();
        let mut types: HashMap<_, _> = definitions()
            .map(|definition| (definition.name.node.to_string(), type_shape(definition, &composite, &sizes)))
            .collect();
        let roots = roots(&schema);
        let introspection_root = types.remove(INTROSPECTION_ROOT).unwrap_or_default();
        types.entry(roots.query.clone()).or_default().extend(introspection_root);
        Ok(Self { types, roots })
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
    let name = |name: &async_graphql::Positioned<async_graphql::Name>| name.node.to_string();
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

fn fields(definition: &TypeDefinition) -> &[async_graphql::Positioned<FieldDefinition>] {
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
    match (is_list, field.ty.node.base.to_string().ends_with(CONNECTION)) {
        (false, true) => Multiplicity::Page,
        (false, false) => Multiplicity::One,
        (true, _) if owner.ends_with(CONNECTION) => Multiplicity::PerNode,
        (true, _) => {
            let limit = field.arguments.iter().find(|argument| argument.node.name.node == LIMIT_ARGUMENT);
            let usual = limit.and_then(|limit| size_of_const(&limit.node.default_value.as_ref()?.node));
            Multiplicity::List { usual }
        }
    }
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

/// How long the lists of introspection are: those of types on the average, so that asking once for everything costs
/// about as many values as the answer has.
struct IntrospectionSizes {
    types: u64,
    directives: u64,
    fields: u64,
    arguments: u64,
    input_fields: u64,
    enum_values: u64,
    related_types: u64,
}

impl IntrospectionSizes {
    fn new(schema: &ServiceDocument) -> Self {
        let types = type_definitions(schema).count();
        let all_fields = || type_definitions(schema).flat_map(fields);
        let sum = |count: fn(&TypeKind) -> usize| type_definitions(schema).map(|it| count(&it.kind)).sum::<usize>();
        let average = |all: usize, of: usize| u64::try_from(all.div_ceil(of.max(1)).max(1)).unwrap_or(u64::MAX);
        let enum_values = sum(|kind| if let TypeKind::Enum(it) = kind { it.values.len() } else { 0 });
        let input_fields = sum(|kind| if let TypeKind::InputObject(it) = kind { it.fields.len() } else { 0 });
        let related_types = sum(|kind| match kind {
            TypeKind::Object(object) => object.implements.len(),
            TypeKind::Union(union) => union.members.len(),
            _ => 0,
        });
        let directives = schema.definitions.iter().filter(|it| matches!(it, TypeSystemDefinition::Directive(_)));
        Self {
            types: average(types, 1),
            directives: average(directives.count(), 1),
            fields: average(all_fields().count(), types),
            arguments: average(all_fields().map(|field| field.node.arguments.len()).sum(), all_fields().count()),
            input_fields: average(input_fields, types),
            enum_values: average(enum_values, types),
            related_types: average(related_types, types),
        }
    }

    fn of(&self, owner: &str, field: &str) -> Option<u64> {
        match (owner, field) {
            ("__Schema", "types") => Some(self.types),
            ("__Schema", "directives") => Some(self.directives),
            ("__Type", "fields") => Some(self.fields),
            ("__Type", "interfaces" | "possibleTypes") => Some(self.related_types),
            ("__Type", "enumValues") => Some(self.enum_values),
            ("__Type", "inputFields") => Some(self.input_fields),
            ("__Field" | "__Directive", "args") => Some(self.arguments),
            _ => None,
        }
    }
}
