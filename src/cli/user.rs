//! Names that commands are told.

/// The longest name of a user or run.
const NAME_LIMIT: usize = 255;

/// Reads the name of a user or run.
pub fn name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it must not be empty".to_owned());
    }
    if text.chars().nth(NAME_LIMIT).is_some() {
        return Err(format!("it must not be longer than {NAME_LIMIT} characters"));
    }
    if text.contains('\0') {
        return Err("it must not contain the character U+0000".to_owned());
    }
    Ok(text.to_owned())
}
