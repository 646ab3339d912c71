//! The committed schema.

/// Clients read `schema.graphql`; the server serves what the code says.
#[test]
fn the_committed_schema_is_the_one_served() {
    let committed = include_str!("../schema.graphql");
    assert!(
        committed == evalgraph::graphql::sdl(),
        "schema.graphql has drifted; to write it anew: cargo run -- schema > schema.graphql",
    );
}
