//! Reading the log.

use serde_json::Value;

use crate::common::{TestDatabase, TestServer};

/// The fields of an entry.
pub const ENTRY: &str =
    "id createdAt userId isAdmin credential origin action objectIds objectCount requestId clientAddress userAgent";

/// The newest entries, as an administrator reads them.
pub async fn entries(database: &TestDatabase) -> Vec<Value> {
    let server = TestServer::start(database).await;
    let mut data = server.data(&format!("{{ auditLog(first: 100) {{ nodes {{ {ENTRY} }} }} }}")).await;
    serde_json::from_value(data["auditLog"]["nodes"].take()).unwrap()
}

/// The texts of a list.
pub fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}
