//! Lists in memory.

use std::cmp::Ordering;

use evalgraph::domain::Timestamp;
use uuid::Uuid;

/// What rows are compared by. What is missing is less than anything.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub enum Key {
    Time(i64),
    Text(String),
    Number(Option<f64>),
}

impl From<Timestamp> for Key {
    fn from(time: Timestamp) -> Self {
        Self::Time(time.micros())
    }
}

impl From<&String> for Key {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<Option<i32>> for Key {
    fn from(number: Option<i32>) -> Self {
        Self::Number(number.map(f64::from))
    }
}

impl From<Option<f64>> for Key {
    fn from(number: Option<f64>) -> Self {
        Self::Number(number)
    }
}

/// A row of a list.
#[derive(Debug, Clone)]
pub struct Row {
    /// The id as clients see it.
    pub id: String,
    pub uuid: Uuid,
    /// What it is compared by, in the order of the list's `orders`.
    pub keys: Vec<Key>,
    /// Whether it meets each of the list's conditions.
    pub meets: Vec<bool>,
}

impl Row {
    /// The order by one of the keys, then by id.
    pub fn compare(&self, other: &Self, key: usize) -> Ordering {
        let keys = self.keys[key].partial_cmp(&other.keys[key]).expect("keys of one kind");
        keys.then(self.uuid.cmp(&other.uuid))
    }
}

/// A condition of a filter: its field, and the whole of it as clients write it.
pub type Condition = (&'static str, &'static str);

/// A list of the schema, and what is in it.
pub struct List {
    /// The field, such as `Prompt.evaluations`.
    pub coordinate: &'static str,
    /// The parent as clients know it, if the list is under one.
    pub parent: Option<String>,
    pub rows: Vec<Row>,
    pub conditions: &'static [Condition],
    /// Fields to order by; the list by itself is ordered by the first.
    pub orders: &'static [&'static str],
    /// Whether the list by itself begins with the greatest.
    pub descending: bool,
}

impl List {
    /// A query for a page of the list.
    pub fn query(&self, arguments: &str) -> String {
        let (parent_type, field) = self.coordinate.split_once('.').unwrap();
        let selection = "edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage } totalCount";
        let list = format!("list: {field}({arguments}) {{ {selection} }}");
        match &self.parent {
            None => format!("{{ {list} }}"),
            Some(id) => format!("{{ parent: node(id: {id:?}) {{ ... on {parent_type} {{ {list} }} }} }}"),
        }
    }
}
