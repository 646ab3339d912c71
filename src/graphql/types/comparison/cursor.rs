//! Cursors of test cases.

use uuid::Uuid;

use crate::db::comparison::{CasePosition, EvaluationPair};
use crate::graphql::cursor::CursorScope;
use crate::graphql::error::ApiError;

/// The test cases of a pair of evaluations: what a cursor is bound to. Whatever changes are wanted, their order is the
/// same.
#[derive(Debug, Clone, Copy)]
pub struct CaseList(pub EvaluationPair);

impl CaseList {
    /// The cursor of the case at `position`: one byte for whether only the candidate has it, the place in the suite, the
    /// result.
    pub fn cursor(self, position: CasePosition) -> String {
        let mut place = vec![u8::from(position.candidate_only != 0)];
        place.extend(position.place.to_be_bytes());
        place.extend(Uuid::from(position.result).as_bytes());
        self.within(|scope| scope.write(place))
    }

    /// The place that a cursor stands for.
    ///
    /// # Errors
    /// When it is not a cursor, or one of another list.
    pub fn read_cursor(self, argument: &'static str, cursor: &str) -> Result<CasePosition, ApiError> {
        self.within(|scope| scope.read(argument, cursor, read_position))
    }

    fn within<T>(self, work: impl FnOnce(&CursorScope<'_>) -> T) -> T {
        let [baseline, candidate] = [self.0.baseline, self.0.candidate].map(Uuid::from);
        let parts = &[&baseline.as_bytes()[..], candidate.as_bytes()];
        work(&CursorScope { coordinate: "EvaluationComparison.cases", parts })
    }
}

fn read_position(bytes: &[u8]) -> Option<CasePosition> {
    let (&candidate_only, bytes) = bytes.split_first()?;
    let (&place, result) = bytes.split_first_chunk()?;
    let result = Uuid::from_slice(result).ok()?.into();
    let position = CasePosition { candidate_only: candidate_only.into(), place: i64::from_be_bytes(place), result };
    (candidate_only <= 1).then_some(position)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::domain::EvaluationId;

    fn list() -> CaseList {
        CaseList(EvaluationPair { baseline: EvaluationId::generate(), candidate: EvaluationId::generate() })
    }

    fn position(candidate_only: i32) -> CasePosition {
        CasePosition { candidate_only, place: 1 << 31, result: Uuid::now_v7().into() }
    }

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        let list = list();
        for position in [position(0), position(1)] {
            assert_eq!(list.read_cursor("after", &list.cursor(position)).unwrap(), position);
        }
    }

    #[test]
    fn a_cursor_is_bound_to_its_pair() {
        let list = list();
        let EvaluationPair { baseline, candidate } = list.0;
        for pair in [
            EvaluationPair { baseline: candidate, candidate: baseline },
            EvaluationPair { baseline, candidate: baseline },
            EvaluationPair { baseline: candidate, candidate },
        ] {
            let error = CaseList(pair).read_cursor("after", &list.cursor(position(0))).unwrap_err().to_string();
            assert_eq!(
                error,
                "after: is a cursor of another list or another order than this of EvaluationComparison.cases"
            );
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let list = list();
        let cursor = list.cursor(position(0));
        for bad in [
            "",
            "x",
            "AAAA",
            "AQ",
            "ü",
            &cursor[1..],
            &cursor[..36],
            &format!("{cursor}AA"),
            &list.cursor(position(0))[..8],
        ] {
            let error = list.read_cursor("after", bad).unwrap_err().to_string();
            assert_eq!(error, "after: is not a cursor; take one from `pageInfo` or `edges`", "{bad}");
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        bytes[5] = 2;
        assert!(list.read_cursor("after", &URL_SAFE_NO_PAD.encode(bytes)).is_err());
    }
}
