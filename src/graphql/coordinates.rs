//! By what name a field is known in traces: its type and itself, as in `Prompt.evaluations`.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use async_graphql::parser::types::{
    BaseType, ExecutableDocument, OperationType, Selection, SelectionSet, ServiceDocument, Type, TypeKind,
    TypeSystemDefinition,
};
use async_graphql::{Pos, Positioned, QueryPathNode, QueryPathSegment};

use crate::telemetry::FieldName;

/// The bytes that most paths have room in.
const USUAL_PATH: usize = 96;

/// The names of the fields of a document, by the place of each in its text. There are tens of them: comparing places is
/// quicker than hashing them.
pub type Coordinates = BTreeMap<Pos, Arc<FieldName>>;

struct OutputField {
    name: Arc<FieldName>,
    type_name: String,
}

/// The fields of all types with fields, and the types of those.
pub struct OutputTypes(HashMap<String, HashMap<String, OutputField>>);

impl OutputTypes {
    /// The types of a schema.
    pub fn new(schema: &ServiceDocument) -> Self {
        let mut types = HashMap::new();
        for definition in &schema.definitions {
            let TypeSystemDefinition::Type(Positioned { node, .. }) = definition else { continue };
            let fields = match &node.kind {
                TypeKind::Object(object) => &object.fields,
                TypeKind::Interface(interface) => &interface.fields,
                _ => continue,
            };
            let field = |field: &Positioned<async_graphql::parser::types::FieldDefinition>| {
                let name = field.node.name.node.to_string();
                let known_as = FieldName {
                    coordinate: format!("{}.{name}", node.name.node).into(),
                    parent_type: node.name.node.as_str().into(),
                    name: name.as_str().into(),
                };
                (name, OutputField { name: Arc::new(known_as), type_name: named(&field.node.ty.node).to_owned() })
            };
            types.insert(node.name.node.to_string(), fields.iter().map(field).collect());
        }
        Self(types)
    }

    /// The name of a field.
    pub fn field(&self, parent_type: &str, name: &str) -> Option<&FieldName> {
        Some(&self.0.get(parent_type)?.get(name)?.name)
    }

    /// The names of all fields of a document. Each selection is looked at once, however often its fragment is
    /// spread.
    pub fn coordinates(&self, document: &ExecutableDocument) -> Coordinates {
        let mut found = Coordinates::new();
        let mut open: Vec<(&str, &SelectionSet)> = Vec::new();
        for (_, operation) in document.operations.iter() {
            let root = match operation.node.ty {
                OperationType::Query => "Query",
                OperationType::Mutation => "Mutation",
                OperationType::Subscription => "Subscription",
            };
            open.push((root, &operation.node.selection_set.node));
        }
        for fragment in document.fragments.values() {
            open.push((&fragment.node.type_condition.node.on.node, &fragment.node.selection_set.node));
        }
        while let Some((parent, selections)) = open.pop() {
            for Positioned { node, .. } in &selections.items {
                match node {
                    Selection::Field(field) => {
                        let known = self.0.get(parent).and_then(|fields| fields.get(field.node.name.node.as_str()));
                        let Some(known) = known else { continue };
                        found.insert(field.pos, Arc::clone(&known.name));
                        open.push((&known.type_name, &field.node.selection_set.node));
                    }
                    Selection::InlineFragment(fragment) => {
                        let condition = fragment.node.type_condition.as_ref();
                        let parent = condition.map_or(parent, |condition| condition.node.on.node.as_str());
                        open.push((parent, &fragment.node.selection_set.node));
                    }
                    Selection::FragmentSpread(_) => {}
                }
            }
        }
        found
    }
}

fn named(of: &Type) -> &str {
    match &of.base {
        BaseType::Named(name) => name,
        BaseType::List(inner) => named(inner),
    }
}

/// Where in the answer a field is, as in `prompts.nodes[2].evaluations`.
pub fn path(node: Option<&QueryPathNode<'_>>) -> String {
    let mut path = String::with_capacity(USUAL_PATH);
    if let Some(node) = node {
        write_path(&mut path, node);
    }
    path
}

/// As deep as a document, whose depth is limited.
fn write_path(path: &mut String, node: &QueryPathNode<'_>) {
    if let Some(parent) = node.parent {
        write_path(path, parent);
    }
    match node.segment {
        QueryPathSegment::Index(index) => {
            // Writing to a string cannot fail.
            let _ = write!(path, "[{index}]");
        }
        QueryPathSegment::Name(name) => {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(name);
        }
    }
}
