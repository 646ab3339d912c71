//! Small random documents, valid or not.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::select;

const FIELDS: [&str; 20] = [
    "name",
    "tags",
    "cursor",
    "totalCount",
    "unknown",
    "item",
    "node",
    "nodes",
    "edges",
    "items",
    "items(first: 3)",
    "items(last: 2)",
    "items(first: 0)",
    "items(first: -4)",
    "items(first: null)",
    "items(first: $three, last: $none)",
    "items(first: $five)",
    "top",
    "top(limit: 2)",
    "byIds(ids: [1, 2, 3])",
];
const TYPES: [&str; 5] = ["Query", "Item", "ItemConnection", "ItemEdge", "Unknown"];

#[derive(Debug, Clone)]
enum Node {
    Field {
        name: &'static str,
        alias: bool,
        directives: usize,
        inner: Vec<Node>,
    },
    Inline {
        on: Option<&'static str>,
        directives: usize,
        inner: Vec<Node>,
    },
    /// The fragment so many places further down, which may not exist.
    Spread {
        next: usize,
        directives: usize,
    },
}

/// Two operations, and fragments each of which spreads only later ones.
#[derive(Debug, Clone)]
pub struct Document {
    operations: [Vec<Node>; 2],
    fragments: Vec<(&'static str, Vec<Node>)>,
}

pub fn document() -> impl Strategy<Value = Document> {
    let fragments = prop::collection::vec((select(&TYPES[..]), nodes()), 0..4);
    ([nodes(), nodes()], fragments).prop_map(|(operations, fragments)| Document { operations, fragments })
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    let leaf = prop_oneof![
        (select(&FIELDS[..]), any::<bool>(), 0..2_usize).prop_map(|(name, alias, directives)| Node::Field {
            name,
            alias,
            directives,
            inner: Vec::new()
        }),
        (1..4_usize, 0..2_usize).prop_map(|(next, directives)| Node::Spread { next, directives }),
    ];
    let node = leaf.prop_recursive(4, 12, 3, |inner| {
        let inner = prop::collection::vec(inner, 1..3);
        let on = prop::option::of(select(&TYPES[..]));
        prop_oneof![
            4 => (select(&FIELDS[..]), any::<bool>(), inner.clone())
                .prop_map(|(name, alias, inner)| Node::Field { name, alias, directives: 0, inner }),
            1 => (on, 0..2_usize, inner).prop_map(|(on, directives, inner)| Node::Inline { on, directives, inner }),
        ]
    });
    prop::collection::vec(node, 1..3)
}

impl Document {
    /// How many selections are written down.
    pub fn selections(&self) -> usize {
        let fragments = self.fragments.iter().map(|(_, nodes)| nodes);
        self.operations.iter().chain(fragments).map(|nodes| count(nodes)).sum()
    }
}

fn count(nodes: &[Node]) -> usize {
    let inner = |node: &Node| match node {
        Node::Field { inner, .. } | Node::Inline { inner, .. } => count(inner),
        Node::Spread { .. } => 0,
    };
    nodes.len() + nodes.iter().map(inner).sum::<usize>()
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, nodes) in ["P", "Q"].iter().zip(&self.operations) {
            write!(f, " query {name}($three: Int = 3, $five: Int = 1, $none: Int) @d(of: $five)")?;
            write_set(f, nodes, 0)?;
        }
        for (index, (on, nodes)) in self.fragments.iter().enumerate() {
            write!(f, " fragment F{} on {on} @d", index + 1)?;
            write_set(f, nodes, index + 1)?;
        }
        Ok(())
    }
}

/// A selection set in the fragment with this number; the operations have the number 0.
fn write_set(f: &mut fmt::Formatter<'_>, nodes: &[Node], fragment: usize) -> fmt::Result {
    if nodes.is_empty() {
        return Ok(());
    }
    f.write_str(" {")?;
    for node in nodes {
        match node {
            Node::Field { name, alias, directives, inner } => {
                write!(f, " {}{name}{}", if *alias { "x: " } else { "" }, " @d(of: [1, 2])".repeat(*directives))?;
                write_set(f, inner, fragment)?;
            }
            Node::Inline { on, directives, inner } => {
                let on = on.map(|on| format!(" on {on}")).unwrap_or_default();
                write!(f, " ...{on}{}", " @d(of: [1, 2])".repeat(*directives))?;
                write_set(f, inner, fragment)?;
            }
            Node::Spread { next, directives } => {
                write!(f, " ...F{}{}", fragment + next, " @d(of: [1, 2])".repeat(*directives))?;
            }
        }
    }
    f.write_str(" }")
}
