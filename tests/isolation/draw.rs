//! Drawing operations.

use async_graphql::parser::types::{BaseType, Type};
use rand::RngExt as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;

use crate::grammar::{Field, Grammar, Input, Kind};
use crate::values::{self, Pools};

/// How deep operations nest: below the limit of the server.
const DEPTH: usize = 7;
/// How many fields they have at most.
const FIELDS: usize = 45;

/// What draws operations.
pub struct Draw<'a> {
    pub grammar: &'a Grammar,
    pub pools: Pools,
    pub random: ChaCha8Rng,
    /// How many fields the operation may still have.
    left: usize,
}

impl<'a> Draw<'a> {
    pub fn new(grammar: &'a Grammar, pools: Pools, random: ChaCha8Rng) -> Self {
        Self { grammar, pools, random, left: 0 }
    }

    /// A query of one to three fields of the root.
    pub fn query(&mut self) -> String {
        self.left = FIELDS;
        let fields =
            (0..self.random.random_range(1..4)).map(|place| self.root_field("Query", place)).collect::<Vec<_>>();
        format!("query Drawn {{ {} }}", fields.join(" "))
    }

    /// A mutation of one field.
    pub fn mutation(&mut self) -> String {
        self.left = FIELDS / 2;
        format!("mutation Drawn {{ {} }}", self.root_field("Mutation", 0))
    }

    fn root_field(&mut self, root: &str, place: usize) -> String {
        let grammar = self.grammar;
        let field = grammar.fields(root).choose(&mut self.random).unwrap();
        format!("f{place}: {}", self.field(root, field, 1))
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.random.random_bool(probability)
    }

    /// A field with its arguments and selection.
    fn field(&mut self, object: &str, field: &Field, depth: usize) -> String {
        self.left = self.left.saturating_sub(1);
        let coordinate = format!("{object}.{}", field.name);
        let arguments = self.arguments(&coordinate, field);
        let directive = if self.chance(0.01) { " @include(if: true)" } else { "" };
        let selection = if self.grammar.is_composite(&field.returns) {
            self.selection(&field.returns, depth)
        } else {
            String::new()
        };
        format!("{}{arguments}{directive}{selection}", field.name)
    }

    fn arguments(&mut self, coordinate: &str, field: &Field) -> String {
        let is_page = field.arguments.iter().any(|argument| argument.name == "first");
        // Pages without a size are large, and many of them more than the server allows.
        let size = if self.chance(0.7) { "first" } else { "last" };
        let mut given = Vec::new();
        for argument in &field.arguments {
            let probability = match argument.name.as_str() {
                "first" | "last" if is_page => {
                    if argument.name == size {
                        0.97
                    } else {
                        0.01
                    }
                }
                "after" | "before" => 0.2,
                "filter" | "orderBy" => 0.5,
                _ => 0.6,
            };
            if !argument.ty.nullable || self.chance(probability) {
                given.push(format!("{}: {}", argument.name, self.value(coordinate, &argument.name, &argument.ty)));
            }
        }
        if given.is_empty() { String::new() } else { format!("({})", given.join(", ")) }
    }

    /// What is wanted of an object, in braces.
    fn selection(&mut self, name: &str, depth: usize) -> String {
        let grammar = self.grammar;
        let fields = match grammar.kind(name) {
            Kind::Interface(objects) => {
                let mut parts = vec!["__typename id".to_owned()];
                for object in objects.sample(&mut self.random, 3).cloned().collect::<Vec<_>>() {
                    parts.push(format!("... on {object}{}", self.selection(&object, depth)));
                }
                return format!(" {{ {} }}", parts.join(" "));
            }
            Kind::Object(fields) => fields,
            other => panic!("{name} has no fields: {other:?}"),
        };
        let may_nest = depth < DEPTH && self.left > 0;
        let mut open: Vec<&Field> =
            fields.iter().filter(|field| may_nest || !grammar.is_composite(&field.returns)).collect();
        open.shuffle(&mut self.random);
        // What leads on to objects is wanted more often than a plain value.
        let is_list = |field: &&Field| ["nodes", "edges", "node"].contains(&field.name.as_str());
        open.sort_by_key(|field| !is_list(field));
        let wanted = self.random.random_range(1..6);
        let mut parts = Vec::new();
        for (place, field) in open.into_iter().take(wanted).enumerate() {
            let selected = self.field(name, field, depth + 1);
            // Two fields of one name may differ in their arguments, and in what is wanted of them.
            parts.push(if self.chance(0.1) { format!("a{place}: {selected}") } else { selected });
        }
        if parts.is_empty() || self.chance(0.05) {
            parts.push("__typename".to_owned());
        }
        let fields = parts.join(" ");
        if self.chance(0.05) { format!(" {{ ... on {name} {{ {fields} }} }}") } else { format!(" {{ {fields} }}") }
    }

    /// A value, as it is written in a document. `owner` is the field whose argument it is, or the input whose field.
    fn value(&mut self, owner: &str, name: &str, ty: &Type) -> String {
        if ty.nullable && self.chance(0.02) {
            return "null".to_owned();
        }
        let type_name = match &ty.base {
            BaseType::List(inner) => {
                let length = self.random.random_range(0..4);
                let items: Vec<_> = (0..length).map(|_| self.value(owner, name, inner)).collect();
                return format!("[{}]", items.join(", "));
            }
            BaseType::Named(name) => name.as_str(),
        };
        let random = &mut self.random;
        match type_name {
            "ID" => self.pools.id(random, owner, name),
            "String" => self.pools.text(random, owner, name),
            "Int" => values::int(random, name),
            "Float" => values::float(random),
            "Boolean" => random.random_bool(0.5).to_string(),
            "DateTime" => values::time(random),
            "JSON" => values::json(random),
            _ => self.value_of(type_name),
        }
    }

    fn value_of(&mut self, type_name: &str) -> String {
        let grammar = self.grammar;
        match grammar.kind(type_name) {
            Kind::Enum(values) => values.choose(&mut self.random).unwrap().clone(),
            Kind::Input(fields) => {
                let mut given = Vec::new();
                for Input { name, ty } in fields {
                    if !ty.nullable || self.chance(0.3) {
                        given.push(format!("{name}: {}", self.value(type_name, name, ty)));
                    }
                }
                format!("{{ {} }}", given.join(", "))
            }
            other => panic!("what values has {type_name}? {other:?}"),
        }
    }
}
