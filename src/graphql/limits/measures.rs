//! One pass over a document: every selection is looked at once, every fragment measured once, whatever the number of
//! places where it is spread.

use std::collections::HashMap;

use async_graphql::Positioned;
use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};

use super::fragments::{FragmentCycle, inner_first};
use super::page_sizes::PageSizes;
use super::shape::{Multiplicity, SchemaShape, TypeShape};

/// How much of everything a selection set has, with the fragments in it. All sums and products saturate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measures {
    /// How deeply fields are nested.
    pub depth: u64,
    /// How deeply selection sets are nested, those of fragments included.
    pub nesting: u64,
    /// Fields with an alias.
    pub aliases: u64,
    /// Fields of the selection set itself: those at the root, in an operation.
    pub root_fields: u64,
    /// Directives.
    pub directives: u64,
    /// Fragments, inline ones included.
    pub fragment_spreads: u64,
    /// The values that the answer can have. In a page, those that it has once.
    pub complexity: u64,
    /// In a page, the values that it has for each of its objects.
    per_node: u64,
}

impl Measures {
    /// Both in one selection set.
    fn add(&mut self, other: Self) {
        let sum = |mine: &mut u64, others: u64| *mine = mine.saturating_add(others);
        self.depth = self.depth.max(other.depth);
        self.nesting = self.nesting.max(other.nesting);
        sum(&mut self.aliases, other.aliases);
        sum(&mut self.root_fields, other.root_fields);
        sum(&mut self.directives, other.directives);
        sum(&mut self.fragment_spreads, other.fragment_spreads);
        sum(&mut self.complexity, other.complexity);
        sum(&mut self.per_node, other.per_node);
    }

    /// Of a selection set that is not within a page.
    fn alone(self) -> Self {
        Self { complexity: self.complexity.saturating_add(self.per_node), per_node: 0, ..self }
    }

    /// The larger of each.
    fn max(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            nesting: self.nesting.max(other.nesting),
            aliases: self.aliases.max(other.aliases),
            root_fields: self.root_fields.max(other.root_fields),
            directives: self.directives.max(other.directives),
            fragment_spreads: self.fragment_spreads.max(other.fragment_spreads),
            complexity: self.complexity.max(other.complexity),
            per_node: self.per_node.max(other.per_node),
        }
    }
}

/// The largest measures of any operation, or any fragment by itself.
pub fn most(
    document: &ExecutableDocument,
    shape: &SchemaShape,
    sizes: &PageSizes<'_>,
) -> Result<Measures, FragmentCycle> {
    let mut meter = Meter::new(shape, sizes);
    meter.measure_fragments(document)?;
    let operations: Vec<_> = document.operations.iter().map(|(_, it)| meter.operation(&it.node)).collect();
    Ok(meter.fragments.into_values().chain(operations).map(Measures::alone).fold(Measures::default(), Measures::max))
}

struct Meter<'a> {
    shape: &'a SchemaShape,
    sizes: &'a PageSizes<'a>,
    /// The fragments that have been measured.
    fragments: HashMap<&'a str, Measures>,
    /// How many selections were looked at.
    #[cfg(test)]
    visited: usize,
}

impl<'a> Meter<'a> {
    fn new(shape: &'a SchemaShape, sizes: &'a PageSizes<'a>) -> Self {
        Self {
            shape,
            sizes,
            fragments: HashMap::new(),
            #[cfg(test)]
            visited: 0,
        }
    }

    /// Measures fragments, each after those that it contains. Not by recursion: the chain may be as long as the text.
    fn measure_fragments(&mut self, document: &'a ExecutableDocument) -> Result<(), FragmentCycle> {
        for (name, fragment) in inner_first(document)? {
            let on_type = self.shape.of(&fragment.type_condition.node.on.node);
            let mut measures = self.selection_set(&fragment.selection_set.node, on_type);
            add_directives(&mut measures, &fragment.directives);
            self.fragments.insert(name, measures);
        }
        Ok(())
    }

    fn operation(&mut self, operation: &OperationDefinition) -> Measures {
        let roots = &self.shape.roots;
        let root = match operation.ty {
            OperationType::Query => Some(&roots.query),
            OperationType::Mutation => roots.mutation.as_ref(),
            OperationType::Subscription => roots.subscription.as_ref(),
        };
        let root = root.and_then(|name| self.shape.of(name));
        let mut measures = self.selection_set(&operation.selection_set.node, root);
        add_directives(&mut measures, &operation.directives);
        for definition in &operation.variable_definitions {
            add_directives(&mut measures, &definition.node.directives);
        }
        measures
    }

    /// Calls itself for nested selection sets, whose depth in the text is limited already.
    fn selection_set(&mut self, set: &SelectionSet, on_type: Option<&TypeShape>) -> Measures {
        let mut measures = Measures::default();
        for selection in &set.items {
            #[cfg(test)]
            {
                self.visited += 1;
            }
            measures.add(match &selection.node {
                Selection::Field(field) => self.field(&field.node, on_type),
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let on_type = condition.map_or(on_type, |condition| self.shape.of(&condition.node.on.node));
                    let inner = self.selection_set(&fragment.node.selection_set.node, on_type);
                    spread(inner, &fragment.node.directives)
                }
                Selection::FragmentSpread(fragment) => {
                    let inner = self.fragments.get(fragment.node.fragment_name.node.as_str());
                    spread(inner.copied().unwrap_or_default(), &fragment.node.directives)
                }
            });
        }
        if !set.items.is_empty() {
            measures.nesting += 1;
        }
        measures
    }

    fn field(&mut self, field: &Field, owner: Option<&TypeShape>) -> Measures {
        // A field without objects, and one that does not exist and will be refused, counts as one value.
        let shape = owner.and_then(|owner| owner.get(field.name.node.as_str()));
        let inner_type = shape.and_then(|shape| self.shape.of(&shape.type_name));
        let inner = self.selection_set(&field.selection_set.node, inner_type);
        let multiplicity = shape.map_or(Multiplicity::One, |shape| shape.multiplicity);
        let size = shape.map_or(1, |shape| self.sizes.of(field, shape));
        let once = inner.alone().complexity.saturating_add(1);
        let (complexity, per_node) = match multiplicity {
            Multiplicity::One => (once, 0),
            Multiplicity::Page => {
                let nodes = size.saturating_mul(inner.per_node);
                (inner.complexity.saturating_add(1).saturating_add(nodes), 0)
            }
            Multiplicity::PerNode => (0, once),
            Multiplicity::List { .. } | Multiplicity::Fixed(_) => (size.saturating_mul(once), 0),
        };
        let mut measures = Measures { complexity, per_node, root_fields: 1, ..inner };
        measures.depth += 1;
        measures.aliases = measures.aliases.saturating_add(u64::from(field.alias.is_some()));
        add_directives(&mut measures, &field.directives);
        measures
    }
}

/// A fragment with these measures, where it is spread.
fn spread(mut measures: Measures, directives: &[Positioned<Directive>]) -> Measures {
    measures.fragment_spreads = measures.fragment_spreads.saturating_add(1);
    add_directives(&mut measures, directives);
    measures
}

fn add_directives(measures: &mut Measures, directives: &[Positioned<Directive>]) {
    let directives = u64::try_from(directives.len()).unwrap_or(u64::MAX);
    measures.directives = measures.directives.saturating_add(directives);
}

#[cfg(test)]
mod tests;
