//! `evalgraph schema`.

use std::io::Write as _;

/// Prints the GraphQL schema.
pub fn run() -> anyhow::Result<()> {
    Ok(std::io::stdout().write_all(crate::graphql::sdl().as_bytes())?)
}
