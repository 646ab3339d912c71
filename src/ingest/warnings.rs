//! What the user should know about a file.

/// Collects warnings. One that recurs at many places of the file is told once, with the first place and their number.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    message: String,
    first_place: Option<String>,
    more: usize,
}

impl Warnings {
    /// Adds a warning about the file as a whole.
    pub fn add(&mut self, message: impl Into<String>) {
        self.entries.push(Entry { message: message.into(), first_place: None, more: 0 });
    }

    /// Adds a warning about a place in the file.
    pub fn add_at(&mut self, message: &str, place: impl FnOnce() -> String) {
        match self.entries.iter_mut().find(|entry| entry.message == message) {
            Some(entry) => entry.more += 1,
            None => {
                self.entries.push(Entry { message: message.to_owned(), first_place: Some(place()), more: 0 });
            }
        }
    }

    /// The warnings as texts, in the order in which they came up.
    pub fn into_texts(self) -> Vec<String> {
        self.entries.into_iter().map(Entry::into_text).collect()
    }
}

impl Entry {
    fn into_text(self) -> String {
        match (self.first_place, self.more) {
            (None, _) => self.message,
            (Some(place), 0) => format!("{}: {place}", self.message),
            (Some(place), more) => format!("{}: {place} and {more} more", self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Warnings;

    #[test]
    fn repeated_warnings_are_counted() {
        let mut warnings = Warnings::default();
        warnings.add("one result is missing");
        for index in 3..6 {
            warnings.add_at("no score", || format!("results[{index}]"));
        }
        warnings.add_at("no name", || "results[9]".to_owned());
        assert_eq!(
            warnings.into_texts(),
            ["one result is missing", "no score: results[3] and 2 more", "no name: results[9]"]
        );
    }
}
