//! Changes of single values.

/// What becomes of a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays.
    #[default]
    Keep,
    /// It becomes this.
    To(T),
}

impl<T> Change<T> {
    /// What the value becomes, if it does not stay.
    pub fn to(&self) -> Option<&T> {
        match self {
            Self::Keep => None,
            Self::To(value) => Some(value),
        }
    }

    /// What a new value is of which nothing may have been said.
    #[must_use]
    pub fn or(self, otherwise: T) -> T {
        match self {
            Self::Keep => otherwise,
            Self::To(value) => value,
        }
    }

    /// Puts the new value in the place of the old one, if there is one.
    pub(super) fn apply(&self, value: &mut T)
    where
        T: Clone,
    {
        if let Self::To(new) = self {
            value.clone_from(new);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Change;

    #[test]
    fn a_value_stays_or_becomes_another() {
        let mut value = 1;
        Change::Keep.apply(&mut value);
        assert_eq!((value, Change::Keep.to(), Change::Keep.or(2)), (1, None::<&i32>, 2));
        Change::To(3).apply(&mut value);
        assert_eq!((value, Change::To(3).to(), Change::To(3).or(2)), (3, Some(&3), 3));
    }
}
