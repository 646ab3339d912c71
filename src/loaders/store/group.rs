//! Batches whose keys need several statements.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use futures_util::future::join_all;
use uuid::Uuid;

use crate::loaders::loader::LoadError;

/// Answers keys group by group: those of equal arguments together, as one statement serves them. `load` answers for a
/// group in the order of its keys. Groups are loaded beside one another, and one that fails costs only its own keys.
pub async fn by_group<'k, K, A, V, L>(
    name: &'static str,
    keys: &'k [K],
    arguments: impl Fn(&'k K) -> &'k A,
    load: impl Fn(&'k A, Vec<&'k K>) -> L,
) -> Vec<Result<V, LoadError>>
where
    A: Eq + Hash + 'k,
    V: Clone,
    L: Future<Output = Result<Vec<V>, LoadError>>,
{
    let mut groups: Vec<(&A, Vec<usize>)> = Vec::new();
    let mut places = HashMap::new();
    for (member, key) in keys.iter().enumerate() {
        let arguments = arguments(key);
        let group = *places.entry(arguments).or_insert_with(|| {
            groups.push((arguments, Vec::new()));
            groups.len() - 1
        });
        groups[group].1.push(member);
    }
    let loads = groups
        .iter()
        .map(|(arguments, members)| load(arguments, members.iter().map(|&member| &keys[member]).collect()));
    let loaded = join_all(loads).await;
    let mut answers = vec![Err(LoadError::Incomplete(name)); keys.len()];
    for ((_, members), values) in groups.into_iter().zip(loaded) {
        match values {
            Ok(values) => members.into_iter().zip(values).for_each(|(member, value)| answers[member] = Ok(value)),
            Err(error) => members.into_iter().for_each(|member| answers[member] = Err(error.clone())),
        }
    }
    answers
}

/// Each id once, in the order of first appearance.
pub fn distinct(ids: impl Iterator<Item = Uuid>) -> Vec<Uuid> {
    let mut seen = HashSet::new();
    ids.filter(|id| seen.insert(*id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::DbError;

    #[tokio::test]
    async fn a_group_that_fails_costs_only_its_own_keys() {
        let keys = [(1, 'a'), (2, 'b'), (1, 'c'), (3, 'd'), (2, 'e')];
        let answers = by_group(
            "letters",
            &keys,
            |key| &key.0,
            async |&arguments, members| match arguments {
                2 => Err(DbError::StatementTimeout.into()),
                // One answer too few.
                3 => Ok(Vec::new()),
                _ => Ok(members.iter().map(|member| member.1).collect()),
            },
        );
        let found: Vec<_> = answers.await.into_iter().map(|answer| answer.map_err(|error| error.to_string())).collect();
        let timeout = Err(DbError::StatementTimeout.to_string());
        let incomplete = Err(LoadError::Incomplete("letters").to_string());
        assert_eq!(found, [Ok('a'), timeout.clone(), Ok('c'), incomplete, timeout]);
    }
}
