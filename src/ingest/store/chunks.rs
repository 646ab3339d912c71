//! The results of a file as rows, in portions that fit into memory.

use tokio::sync::mpsc::Sender;

use crate::db::test_results::NewTestResult;
use crate::domain::{EvaluationId, TestResultId, Timestamp};
use crate::ingest::error::ImportError;
use crate::ingest::prepared::Prepared;
use crate::ingest::rows::result_row;
use crate::ingest::totals::Figures;

/// Rows that are stored at a time, at most.
const CHUNK_ROWS: usize = 1_000;
/// Bytes of their texts, about.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// A row of a file.
pub(super) struct ChunkRow {
    /// Its evaluation, as an index into those of the run.
    pub evaluation: usize,
    /// What counts of it in the totals of its evaluation.
    pub figures: Figures,
    /// What is stored.
    pub row: NewTestResult,
}

/// Rows that are stored at a time.
pub(super) type Chunk = Vec<ChunkRow>;

/// Whom the rows belong to.
pub(super) struct Recipient {
    /// By index into the evaluations of the run.
    pub evaluations: Vec<EvaluationId>,
    /// When they are said to have been created.
    pub created_at: Timestamp,
    /// The time of the import.
    pub now: Timestamp,
}

/// Reads all results and sends them as rows. Their ids grow in the order of the tests, not in that of the file.
pub(super) fn read_chunks(prepared: &Prepared, recipient: &Recipient, to: &Sender<Chunk>) -> Result<(), ImportError> {
    let ids: Vec<_> = (0..prepared.places.rows()).map(|_| TestResultId::generate()).collect();
    let (mut chunk, mut bytes) = (Chunk::new(), 0);
    prepared.results(|place, result| {
        let evaluation = recipient.evaluations.get(place.evaluation).copied();
        let (Some(evaluation), Some(&id)) = (evaluation, ids.get(place.rank)) else {
            return Err(prepared.source.changed());
        };
        let figures = Figures::from(&result);
        let row = result_row(result, id, evaluation, recipient.created_at, recipient.now);
        bytes += size(&row);
        chunk.push(ChunkRow { evaluation: place.evaluation, figures, row });
        if chunk.len() >= CHUNK_ROWS || bytes >= CHUNK_BYTES {
            bytes = 0;
            send(std::mem::take(&mut chunk), to, prepared)?;
        }
        Ok(())
    })?;
    if chunk.is_empty() { Ok(()) } else { send(chunk, to, prepared) }
}

fn send(chunk: Chunk, to: &Sender<Chunk>, prepared: &Prepared) -> Result<(), ImportError> {
    to.blocking_send(chunk).map_err(|_| {
        let cause = "nobody takes its results any more".to_owned();
        ImportError::Interrupted { file: prepared.source.name().to_owned(), cause }
    })
}

/// About how much memory a row takes.
fn size(row: &NewTestResult) -> usize {
    let texts = [
        &row.rendered_prompt,
        &row.expected_output,
        &row.actual_output,
        &row.reason,
        &row.error_message,
        &row.external_id,
    ];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    let documents = [&row.input_data, &row.named_scores, &row.metadata];
    texts + documents.into_iter().map(|document| document.as_str().len()).sum::<usize>() + size_of::<NewTestResult>()
}
