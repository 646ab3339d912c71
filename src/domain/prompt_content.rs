//! What the content of a prompt must be like.

use serde_json::Value;
use thiserror::Error;

use super::PromptFormat;

/// Why a text cannot be the content of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ContentError {
    /// There is nothing in it.
    #[error("must not be blank")]
    Blank,
    /// The content of a chat is something else than messages.
    #[error(
        "must be a JSON array of messages in the format CHAT, each an object with the text `role` and with `content`"
    )]
    NoMessages,
}

/// Whether a text can be the content of a prompt of this format.
///
/// # Errors
/// With what it would have to be.
pub fn check_content(format: PromptFormat, content: &str) -> Result<(), ContentError> {
    if content.trim().is_empty() {
        return Err(ContentError::Blank);
    }
    match format {
        PromptFormat::Text => Ok(()),
        PromptFormat::Chat if is_messages(content) => Ok(()),
        PromptFormat::Chat => Err(ContentError::NoMessages),
    }
}

/// What a message contains is up to the provider: a text, a list of parts, or null beside calls of tools.
fn is_messages(content: &str) -> bool {
    let is_message = |message: &Value| {
        message["role"].as_str().is_some_and(|role| !role.is_empty()) && message.get("content").is_some()
    };
    match serde_json::from_str(content) {
        Ok(Value::Array(messages)) => !messages.is_empty() && messages.iter().all(is_message),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_not_blank() {
        assert_eq!(check_content(PromptFormat::Text, "Say hello."), Ok(()));
        assert_eq!(check_content(PromptFormat::Text, " \n"), Err(ContentError::Blank));
        assert_eq!(check_content(PromptFormat::Chat, ""), Err(ContentError::Blank));
    }

    #[test]
    fn a_chat_is_a_list_of_messages() {
        for chat in [
            r#"[{"role":"user","content":"Hello"}]"#,
            r#"[{"role":"system","content":""},{"role":"assistant","content":null,"tool_calls":[]}]"#,
            r#"[{"role":"user","content":[{"type":"text","text":"Hello"}]}]"#,
        ] {
            assert_eq!(check_content(PromptFormat::Chat, chat), Ok(()), "{chat}");
        }
        for text in ["Hello", "[]", "{}", r#"["user"]"#, r#"[{"role":"user"}]"#, r#"[{"role":7,"content":""}]"#, "[[]]"]
        {
            assert_eq!(check_content(PromptFormat::Chat, text), Err(ContentError::NoMessages), "{text}");
        }
    }
}
