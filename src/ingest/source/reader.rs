//! The text of a source, checked and made storable while it is read.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use serde::de::{IgnoredAny, MapAccess};

use super::constants::Constants;
use super::escapes::repair_escapes;
use crate::ingest::progress::Progress;

/// How many bytes are read at a time.
const CHUNK: usize = 64 * 1024;
/// The bytes of one value that is kept in memory as a whole: a result, a prompt, a member of the document.
pub(in crate::ingest) const VALUE_LIMIT: u64 = if cfg!(test) { 1 } else { 32 } * 1024 * 1024;
/// What texts in UTF-8 may begin with.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Why a source could not be read to its end, although the system could.
#[derive(Debug)]
pub(in crate::ingest) enum Fault {
    /// A byte belongs to no character.
    Utf8 {
        /// Counted from 0 in the text.
        byte: u64,
    },
    /// The compressed data are damaged or were cut off.
    Gzip {
        /// How far they were read, in the compressed data.
        byte: u64,
        /// What is wrong with them.
        problem: String,
    },
    /// A value is larger than [`VALUE_LIMIT`].
    Large {
        /// Where it begins, counted from 0 in the text.
        byte: u64,
    },
    /// The user asked to stop.
    Cancelled,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        Self::other(fault)
    }
}

/// What a reader knows about the text, for those who take values from it.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Meter {
    /// Bytes of the text that were taken, or left out at its beginning.
    taken: Cell<u64>,
    /// Where the present value begins.
    begin: Cell<u64>,
    replaced: Cell<usize>,
}

impl Meter {
    /// Says that another value begins.
    pub fn begin_value(&self) {
        self.begin.set(self.taken.get());
    }

    /// Says that a value of any length begins, which is not kept.
    pub fn begin_unlimited(&self) {
        self.begin.set(u64::MAX);
    }

    /// Passes over the value of a member, which may be of any length.
    pub fn pass_over<'de, A: MapAccess<'de>>(&self, map: &mut A) -> Result<(), A::Error> {
        self.begin_unlimited();
        map.next_value::<IgnoredAny>()?;
        self.begin_value();
        Ok(())
    }

    /// Says that so many bytes are left out before anything is taken.
    fn leave_out(&self, count: u64) {
        self.taken.set(self.taken.get() + count);
        self.begin.set(self.begin.get().saturating_add(count));
    }

    /// How many bytes of the text were taken, or left out at its beginning.
    pub fn taken(&self) -> u64 {
        self.taken.get()
    }

    /// How many characters were replaced that cannot be stored.
    pub fn replaced(&self) -> usize {
        self.replaced.get()
    }
}

/// Reads the text of a source. Its errors are [`Fault`]s or the system's.
pub(in crate::ingest) struct TextReader<R> {
    inner: BufReader<R>,
    progress: Progress,
    meter: Rc<Meter>,
    constants: Option<Constants>,
    /// As it was read, from `checked` on not known to be UTF-8 yet.
    raw: Vec<u8>,
    checked: usize,
    /// How much of the text was before `raw`.
    raw_offset: u64,
    /// Ready to be taken: the part from `taken` to `done`.
    text: Vec<u8>,
    taken: usize,
    done: usize,
    begun: bool,
    ended: bool,
}

impl<R: Read> TextReader<R> {
    /// A reader of `inner`; with `constants`, what Python writes for numbers that are none is read as null.
    pub fn new(inner: R, constants: bool, progress: Progress) -> Self {
        Self {
            inner: BufReader::with_capacity(CHUNK, inner),
            progress,
            meter: Rc::default(),
            constants: constants.then(Constants::default),
            raw: Vec::with_capacity(CHUNK),
            checked: 0,
            raw_offset: 0,
            text: Vec::with_capacity(CHUNK),
            taken: 0,
            done: 0,
            begun: false,
            ended: false,
        }
    }

    /// What is known about the text.
    pub fn meter(&self) -> Rc<Meter> {
        Rc::clone(&self.meter)
    }

    /// The part of the text that comes next; empty at the end.
    pub fn fill(&mut self) -> io::Result<&[u8]> {
        while self.taken == self.done && !self.ended {
            self.refill()?;
        }
        Ok(&self.text[self.taken..self.done])
    }

    /// Takes so many bytes of what [`Self::fill`] returned.
    pub fn consume(&mut self, count: usize) {
        self.taken = (self.taken + count).min(self.done);
        self.meter.taken.set(self.meter.taken.get() + count as u64);
    }

    fn refill(&mut self) -> io::Result<()> {
        self.check()?;
        self.text.drain(..self.taken);
        // Until it is known how much is ready, nothing is: whoever asks again after an error gets none.
        (self.taken, self.done) = (0, 0);
        self.read_raw()?;
        if !self.begun && !self.begin() {
            return Ok(());
        }
        self.check_utf8()?;
        let valid = &self.raw[..self.checked];
        let used = match &mut self.constants {
            Some(constants) => constants.rewrite(valid, self.ended, &mut self.text),
            None => {
                self.text.extend_from_slice(valid);
                valid.len()
            }
        };
        self.raw.drain(..used);
        self.checked -= used;
        self.raw_offset += used as u64;
        let repaired = repair_escapes(&mut self.text, self.ended);
        self.done = repaired.done;
        self.meter.replaced.set(self.meter.replaced.get() + repaired.replaced);
        Ok(())
    }

    fn check(&self) -> Result<(), Fault> {
        if self.progress.is_cancelled() {
            return Err(Fault::Cancelled);
        }
        let begin = self.meter.begin.get();
        if self.meter.taken.get().saturating_sub(begin) > VALUE_LIMIT {
            Err(Fault::Large { byte: begin })
        } else {
            Ok(())
        }
    }

    fn read_raw(&mut self) -> io::Result<()> {
        let length = self.raw.len();
        self.raw.resize(length + CHUNK, 0);
        let count = self.inner.read(&mut self.raw[length..]);
        self.raw.truncate(length + count.as_ref().map_or(0, |&count| count));
        self.ended = count? == 0;
        Ok(())
    }

    /// Leaves out the mark at the beginning, as soon as enough is there to tell. In places it counts.
    fn begin(&mut self) -> bool {
        self.begun = self.ended || self.raw.len() >= BYTE_ORDER_MARK.len();
        if self.raw.starts_with(BYTE_ORDER_MARK) {
            self.raw.drain(..BYTE_ORDER_MARK.len());
            self.raw_offset = BYTE_ORDER_MARK.len() as u64;
            self.meter.leave_out(self.raw_offset);
        }
        self.begun
    }

    /// Finds out how much of `raw` is UTF-8. A character may end in the next part.
    fn check_utf8(&mut self) -> Result<(), Fault> {
        match std::str::from_utf8(&self.raw[self.checked..]) {
            Ok(_) => self.checked = self.raw.len(),
            Err(error) => {
                self.checked += error.valid_up_to();
                if error.error_len().is_some() || self.ended {
                    // An end it is not: it would look like one to whoever asks again.
                    self.ended = false;
                    return Err(Fault::Utf8 { byte: self.raw_offset + self.checked as u64 });
                }
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for TextReader<R> {
    #[inline]
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // The parser takes one byte at a time.
        if let ([byte], true) = (&mut *out, self.taken < self.done) {
            *byte = self.text[self.taken];
            self.taken += 1;
            self.meter.taken.set(self.meter.taken.get() + 1);
            return Ok(1);
        }
        let available = self.fill()?;
        let count = available.len().min(out.len());
        out[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out one byte at a time.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(out.len()).min(1);
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn read(bytes: &[u8], constants: bool) -> Result<(String, usize), Fault> {
        let mut reader = TextReader::new(Trickle(bytes), constants, Progress::default());
        let mut text = String::new();
        match reader.read_to_string(&mut text) {
            Ok(_) => Ok((text, reader.meter().replaced())),
            Err(error) => Err(error.downcast().unwrap()),
        }
    }

    #[test]
    fn texts_are_made_storable_however_they_arrive() {
        let text = "\u{feff}[\"ä\\u0000\", \"\\ud83d\\ude00\", NaN]";
        assert_eq!(read(text.as_bytes(), true).unwrap(), ("[\"ä\\ufffd\", \"\\ud83d\\ude00\", null]".to_owned(), 1));
        assert_eq!(read(text.as_bytes(), false).unwrap().0, "[\"ä\\ufffd\", \"\\ud83d\\ude00\", NaN]");
        assert_eq!(read(b"", false).unwrap().0, "");
    }

    #[test]
    fn bytes_that_are_no_text_are_told_by_their_place() {
        for (bytes, place) in [(&b"ab\xff\"c"[..], 2), (b"abc\xc3", 3), (b"\xe2\x28\xa1", 0), (b"ab\xed\xa0\x80", 2)] {
            assert!(matches!(read(bytes, false), Err(Fault::Utf8 { byte }) if byte == place), "{bytes:?}");
        }
        let mut reader = TextReader::new(&b"abc\xff"[..], false, Progress::default());
        for _ in 0..3 {
            let fault = reader.read(&mut [0]).unwrap_err().downcast().unwrap();
            assert!(matches!(fault, Fault::Utf8 { byte: 3 }), "{fault:?}");
        }
    }

    #[test]
    fn a_mark_at_the_beginning_counts_in_places() {
        let marked = |bytes: &[u8]| [BYTE_ORDER_MARK, bytes].concat();
        assert!(matches!(read(&marked(b"ab\xff"), false), Err(Fault::Utf8 { byte: 5 })));
        let (spaces, value) = (VALUE_LIMIT / 2, VALUE_LIMIT + 2 * CHUNK as u64);
        let text = marked(&b" ".repeat(usize::try_from(spaces + value).unwrap()));
        let mut reader = TextReader::new(&text[..], false, Progress::default());
        let meter = reader.meter();
        io::copy(&mut (&mut reader).take(spaces), &mut io::sink()).unwrap();
        meter.begin_value();
        let fault: Fault = io::copy(&mut reader, &mut io::sink()).unwrap_err().downcast().unwrap();
        assert!(matches!(fault, Fault::Large { byte } if byte == 3 + spaces), "{fault:?}");
    }

    #[test]
    fn values_have_a_limit() {
        let mut reader = TextReader::new(io::repeat(b'1'), false, Progress::default());
        let meter = reader.meter();
        let half = io::copy(&mut (&mut reader).take(VALUE_LIMIT / 2), &mut io::sink()).unwrap();
        meter.begin_value();
        let fault: Fault = io::copy(&mut reader, &mut io::sink()).unwrap_err().downcast().unwrap();
        assert!(matches!(fault, Fault::Large { byte } if byte == half));
    }

    #[test]
    fn a_reader_stops_when_it_is_told_to() {
        let progress = Progress::default();
        progress.cancel();
        let mut reader = TextReader::new(io::repeat(b' '), false, progress);
        assert!(matches!(reader.fill().unwrap_err().downcast(), Ok(Fault::Cancelled)));
    }
}
