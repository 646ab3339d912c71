//! The order in which fragments can be measured.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, FragmentDefinition, FragmentSpread, Selection, SelectionSet};
use async_graphql::{Pos, Positioned, ServerError};

use crate::graphql::error::{ErrorCode, request_error};

/// A fragment that contains itself.
#[derive(Debug, PartialEq, Eq)]
pub struct FragmentCycle {
    /// The fragment.
    pub name: String,
    position: Pos,
}

impl From<FragmentCycle> for ServerError {
    fn from(FragmentCycle { name, position }: FragmentCycle) -> Self {
        let message = format!("the fragment \"{name}\" is spread within itself");
        Self { locations: vec![position], ..request_error(ErrorCode::GraphqlValidationFailed, message) }
    }
}

type Spreads<'a> = Vec<&'a Positioned<FragmentSpread>>;

/// A fragment whose own fragments are being put in order.
struct Open<'a> {
    name: &'a str,
    fragment: &'a FragmentDefinition,
    /// Those of them that are left.
    left: Spreads<'a>,
}

/// All fragments with their names, each after those that are spread in it; or one that contains itself. Without
/// recursion: a chain of fragments may be as long as the document.
pub fn inner_first(document: &ExecutableDocument) -> Result<Vec<(&str, &FragmentDefinition)>, FragmentCycle> {
    let mut ordered = Vec::with_capacity(document.fragments.len());
    // Whether a fragment is in order already. Those that are not yet contain the one at hand.
    let mut is_done: HashMap<&str, bool> = HashMap::new();
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut fragments: Vec<_> = document.fragments.iter().collect();
    // The same document has the same order, and the same cycle is told.
    fragments.sort_by_key(|(_, fragment)| fragment.pos);
    for (name, fragment) in fragments {
        if is_done.contains_key(name.as_str()) {
            continue;
        }
        is_done.insert(name, false);
        open.push(Open { name, fragment: &fragment.node, left: spreads(&fragment.node) });
        while let Some(innermost) = open.last_mut() {
            let Some(spread) = innermost.left.pop() else {
                is_done.insert(innermost.name, true);
                ordered.push((innermost.name, innermost.fragment));
                open.pop();
                continue;
            };
            let name = &spread.node.fragment_name.node;
            match (is_done.get(name.as_str()), document.fragments.get_key_value(name)) {
                (Some(true), _) | (None, None) => {}
                (Some(false), _) => return Err(FragmentCycle { name: name.to_string(), position: spread.pos }),
                (None, Some((name, fragment))) => {
                    is_done.insert(name, false);
                    open.push(Open { name, fragment: &fragment.node, left: spreads(&fragment.node) });
                }
            }
        }
    }
    Ok(ordered)
}

/// The places where a fragment spreads others.
fn spreads(fragment: &FragmentDefinition) -> Spreads<'_> {
    let mut spreads = Vec::new();
    let mut sets: Vec<&SelectionSet> = vec![&fragment.selection_set.node];
    while let Some(set) = sets.pop() {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => sets.push(&field.node.selection_set.node),
                Selection::InlineFragment(inner) => sets.push(&inner.node.selection_set.node),
                Selection::FragmentSpread(spread) => spreads.push(spread),
            }
        }
    }
    spreads
}
