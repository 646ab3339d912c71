//! One pass over a document: every selection is looked at once, every fragment measured once, whatever the number of
//! places where it is spread.

use std::collections::HashMap;

use async_graphql::Positioned;
use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};

use super::arguments::Arguments;
use super::fragments::{FragmentCycle, inner_first};
use super::shape::{Multiplicity, SchemaShape, TypeShape};

/// How much there is of what pages multiply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Volume {
    /// The values that the answer can have.
    pub values: u64,
    /// What the arguments cost that lead to them.
    pub input_bytes: u64,
}

impl Volume {
    fn plus(self, other: Self) -> Self {
        Self {
            values: self.values.saturating_add(other.values),
            input_bytes: self.input_bytes.saturating_add(other.input_bytes),
        }
    }

    fn times(self, count: u64) -> Self {
        Self { values: self.values.saturating_mul(count), input_bytes: self.input_bytes.saturating_mul(count) }
    }

    fn max(self, other: Self) -> Self {
        Self { values: self.values.max(other.values), input_bytes: self.input_bytes.max(other.input_bytes) }
    }
}

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
    /// Fields and fragments.
    pub selections: u64,
    /// What the arguments cost that name the objects to be changed at once.
    pub bulk_input_bytes: u64,
    /// Whether the schema is asked for.
    pub introspects: bool,
    /// What the answer has. In a page, what it has once.
    pub volume: Volume,
    /// In a page, what it has for each of its objects.
    per_node: Volume,
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
        sum(&mut self.selections, other.selections);
        sum(&mut self.bulk_input_bytes, other.bulk_input_bytes);
        self.introspects |= other.introspects;
        self.volume = self.volume.plus(other.volume);
        self.per_node = self.per_node.plus(other.per_node);
    }

    /// Of a selection set that is not within a page.
    fn alone(self) -> Self {
        Self { volume: self.volume.plus(self.per_node), per_node: Volume::default(), ..self }
    }

    /// Of one document: the larger of each, but all selections, because validation follows the fragments of every
    /// operation, and of every fragment.
    fn beside(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            nesting: self.nesting.max(other.nesting),
            aliases: self.aliases.max(other.aliases),
            root_fields: self.root_fields.max(other.root_fields),
            directives: self.directives.max(other.directives),
            fragment_spreads: self.fragment_spreads.max(other.fragment_spreads),
            selections: self.selections.saturating_add(other.selections),
            bulk_input_bytes: self.bulk_input_bytes.max(other.bulk_input_bytes),
            introspects: self.introspects || other.introspects,
            volume: self.volume.max(other.volume),
            per_node: self.per_node.max(other.per_node),
        }
    }
}

/// The measures of a document: of its operations, and of its fragments by themselves.
pub fn of_document(
    document: &ExecutableDocument,
    shape: &SchemaShape,
    arguments: &Arguments<'_>,
) -> Result<Measures, FragmentCycle> {
    let mut meter = Meter::new(shape, arguments);
    meter.measure_fragments(document)?;
    let operations: Vec<_> = document.operations.iter().map(|(_, it)| meter.operation(&it.node)).collect();
    // What a fragment selects is at the root only where it is spread there.
    let fragments = meter.fragments.into_values().map(|measures| Measures { root_fields: 0, ..measures });
    Ok(fragments.chain(operations).map(Measures::alone).fold(Measures::default(), Measures::beside))
}

struct Meter<'a> {
    shape: &'a SchemaShape,
    arguments: &'a Arguments<'a>,
    /// The fragments that have been measured.
    fragments: HashMap<&'a str, Measures>,
    /// How many selections were looked at.
    #[cfg(test)]
    visited: usize,
}

impl<'a> Meter<'a> {
    fn new(shape: &'a SchemaShape, arguments: &'a Arguments<'a>) -> Self {
        Self {
            shape,
            arguments,
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
            measures.add(self.directives(&fragment.directives));
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
        measures.add(self.directives(&operation.directives));
        for definition in &operation.variable_definitions {
            measures.add(self.directives(&definition.node.directives));
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
                    self.spread(inner, &fragment.node.directives)
                }
                Selection::FragmentSpread(fragment) => {
                    let inner = self.fragments.get(fragment.node.fragment_name.node.as_str());
                    self.spread(inner.copied().unwrap_or_default(), &fragment.node.directives)
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
        let size = shape.map_or(1, |shape| self.arguments.page_size(field, shape));
        // Arguments are read once, whatever the number of objects.
        let directives = self.directives(&field.directives);
        let bytes = self.arguments.bytes(&field.arguments);
        let (input_bytes, bulk_bytes) = if multiplicity == Multiplicity::Bulk { (0, bytes) } else { (bytes, 0) };
        let arguments = Volume { values: 0, input_bytes }.plus(directives.volume);
        let object = Volume { values: 1, input_bytes: 0 };
        let (volume, per_node) = match multiplicity {
            Multiplicity::One => (object.plus(inner.alone().volume), Volume::default()),
            Multiplicity::Page | Multiplicity::Bulk => {
                (object.plus(inner.volume).plus(inner.per_node.times(size)), Volume::default())
            }
            Multiplicity::PerNode => (Volume::default(), object.plus(inner.alone().volume)),
            Multiplicity::List { .. } | Multiplicity::Fixed(_) => {
                (object.plus(inner.alone().volume).times(size), Volume::default())
            }
        };
        let mut measures = Measures { volume: volume.plus(arguments), per_node, root_fields: 1, ..inner };
        measures.introspects |= matches!(field.name.node.as_str(), "__schema" | "__type");
        measures.directives = measures.directives.saturating_add(directives.directives);
        measures.bulk_input_bytes = measures.bulk_input_bytes.saturating_add(bulk_bytes);
        measures.depth += 1;
        measures.selections = measures.selections.saturating_add(1);
        measures.aliases = measures.aliases.saturating_add(u64::from(field.alias.is_some()));
        measures
    }

    /// A fragment with these measures, where it is spread.
    fn spread(&self, mut measures: Measures, directives: &[Positioned<Directive>]) -> Measures {
        measures.fragment_spreads = measures.fragment_spreads.saturating_add(1);
        measures.selections = measures.selections.saturating_add(1);
        measures.add(self.directives(directives));
        measures
    }

    fn directives(&self, directives: &[Positioned<Directive>]) -> Measures {
        let bytes = directives.iter().map(|directive| self.arguments.bytes(&directive.node.arguments));
        Measures {
            directives: u64::try_from(directives.len()).unwrap_or(u64::MAX),
            volume: Volume { values: 0, input_bytes: bytes.fold(0, u64::saturating_add) },
            ..Measures::default()
        }
    }
}

#[cfg(test)]
mod tests;
