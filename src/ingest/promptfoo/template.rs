//! Finding a prompt's template in its label.
//!
//! A result has the prompt as it was sent and the label, which promptfoo makes of the user's label, the file's path and
//! the whole template, or of some of them.

/// The part of the label that is the template of this prompt; `None` when the label does not contain it.
pub(super) fn template<'a>(label: &'a str, rendered: &str) -> Option<&'a str> {
    let parts = std::iter::once(0).chain(label.match_indices(": ").map(|(index, separator)| index + separator.len()));
    parts.filter_map(|begin| label.get(begin..)).find(|part| !part.trim().is_empty() && renders(part, rendered))
}

/// What the template engine replaces.
const TAGS: [(&str, &str); 3] = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];

/// Whether the template can become the text: what is not replaced comes up in it, in the same order, and nothing else
/// is before the first tag or after the last.
fn renders(template: &str, text: &str) -> bool {
    let (template, mut rest) = (template.trim(), text.trim());
    let (first, mut template) = literal(template);
    let Some(after) = rest.strip_prefix(first) else { return false };
    if template.is_empty() {
        return after.is_empty();
    }
    rest = after;
    while let Some(tag) = tag_end(template) {
        let (piece, after) = literal(&template[tag..]);
        if after.is_empty() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(index) => rest = &rest[index + piece.len()..],
            None => return false,
        }
        template = after;
    }
    // A tag without an end is an error in the template.
    false
}

/// The text before the first tag, and what begins with that tag.
fn literal(template: &str) -> (&str, &str) {
    let begin = TAGS.iter().filter_map(|(open, _)| template.find(open)).min();
    template.split_at(begin.unwrap_or(template.len()))
}

/// Where the tag at the beginning ends.
fn tag_end(template: &str) -> Option<usize> {
    let (open, close) = TAGS.iter().find(|(open, _)| template.starts_with(open))?;
    template.get(open.len()..)?.find(close).map(|end| open.len() + end + close.len())
}

#[cfg(test)]
mod tests {
    use super::template;

    #[test]
    fn the_template_is_cut_from_the_label() {
        for (label, rendered, expected) in [
            ("terse: prompts/terse.txt: Say: {{x}}!\n", "Say: it!", Some("Say: {{x}}!\n")),
            ("Say: {{x}}", "Say: a: b", Some("Say: {{x}}")),
            ("name: {{ x }}", "anything: at all", Some("{{ x }}")),
            ("name: {{x}} and {{y}}.", "one and two.", Some("{{x}} and {{y}}.")),
            ("p.txt: no variables", "no variables", Some("no variables")),
            ("p.txt: {% if x %}a{% endif %} {# note #}b", "a b", Some("{% if x %}a{% endif %} {# note #}b")),
            ("triage-chat", "[{\"role\":\"user\"}]", None),
            ("p.md: # A long te...", "# A long text", None),
            ("p.txt: Say {{x", "Say it", None),
            ("p.txt: a {{x}} b {{y}}", "a 1 c 2", None),
            ("", "", None),
        ] {
            assert_eq!(template(label, rendered), expected, "{label}");
        }
    }
}
