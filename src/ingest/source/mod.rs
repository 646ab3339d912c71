//! Where the bytes of an import come from. They can be read as often as needed.

mod constants;
mod escapes;
mod object;
mod parse;
mod reader;
mod stop;

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use flate2::bufread::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use super::error::ImportError;
use super::progress::Progress;
use crate::domain::{Timestamp, hex};

pub(super) use object::{Each, Object, ObjectReader, Presence, Skipped};
pub(super) use reader::{Fault, Meter, TextReader, VALUE_LIMIT};
pub(super) use stop::{Stop, StopReason};

/// What compressed files begin with.
const GZIP: &[u8] = &[0x1F, 0x8B];
/// The size of the buffers between a source and whoever reads it.
const BUFFER: usize = 64 * 1024;

/// What is to be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file, or whatever else the path leads to.
    File(PathBuf),
    /// What the process is given on standard input.
    StandardInput,
}

impl Input {
    /// The input that this argument of a command means: `-` is standard input.
    #[must_use]
    pub fn from_argument(argument: PathBuf) -> Self {
        if argument == Path::new("-") { Self::StandardInput } else { Self::File(argument) }
    }

    /// What errors call it.
    pub(super) fn name(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::StandardInput => PathBuf::from("standard input"),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name().display())
    }
}

/// An input that was opened. Compressed data are unpacked while they are read.
#[derive(Debug, Clone)]
pub(super) struct Source {
    name: PathBuf,
    storage: Storage,
    length: u64,
    modified: Option<SystemTime>,
    is_compressed: bool,
    progress: Progress,
}

#[derive(Debug, Clone)]
enum Storage {
    File(Arc<File>),
    Bytes(Arc<[u8]>),
}

impl Source {
    /// Opens an input. What is no regular file, a pipe for instance, is copied into a temporary file that has no name
    /// and goes away with the process.
    pub fn open(input: &Input, progress: Progress) -> Result<Self, ImportError> {
        let name = input.name();
        let opened = match input {
            Input::File(path) => open_file(path, &progress),
            Input::StandardInput => keep(io::stdin().lock(), &progress),
        };
        let source = opened.and_then(|(file, modified)| {
            let length = file.metadata()?.len();
            Self::new(name.clone(), Storage::File(Arc::new(file)), length, modified, progress)
        });
        source.map_err(|cause| read_error(&name, cause))
    }

    /// A source that is in memory.
    pub fn bytes(bytes: &[u8]) -> Self {
        Self {
            name: PathBuf::from("input"),
            storage: Storage::Bytes(bytes.into()),
            length: bytes.len() as u64,
            modified: None,
            is_compressed: bytes.starts_with(GZIP),
            progress: Progress::default(),
        }
    }

    fn new(
        name: PathBuf,
        storage: Storage,
        length: u64,
        modified: Option<SystemTime>,
        progress: Progress,
    ) -> io::Result<Self> {
        let mut source = Self { name, storage, length, modified, is_compressed: false, progress };
        source.is_compressed = source.begins_with(GZIP)?;
        Ok(source)
    }

    /// What errors call it.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// Who is told how far it was read.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// When it was last changed, if it is a file.
    pub fn modified(&self) -> Option<Timestamp> {
        self.modified.map(|time| Timestamp::from(DateTime::<Utc>::from(time)))
    }

    /// Whether the stored bytes begin with these.
    pub fn begins_with(&self, bytes: &[u8]) -> io::Result<bool> {
        let mut begin = Vec::with_capacity(bytes.len());
        self.stored(0).take(bytes.len() as u64).read_to_end(&mut begin)?;
        Ok(begin == bytes)
    }

    /// Reads the text from its beginning. `constants` says whether what Python writes for numbers that are none is
    /// read as null.
    pub fn text(&self, constants: bool) -> TextReader<Unpacked> {
        self.progress.begin_pass(self.length);
        TextReader::new(self.unpacked(), constants, self.progress.clone())
    }

    /// SHA-256 of the unpacked bytes, in hexadecimal.
    pub fn sha256(&self) -> Result<String, ImportError> {
        let mut hasher = Sha256::new();
        let mut reader = self.unpacked();
        let mut buffer = vec![0; BUFFER];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(hex(&hasher.finalize())),
                Ok(count) => hasher.update(&buffer[..count]),
                Err(cause) => return Err(self.fault(cause)),
            }
        }
    }

    /// Makes sure that the file is what it was when it was opened.
    pub fn check_unchanged(&self) -> Result<(), ImportError> {
        let Storage::File(file) = &self.storage else { return Ok(()) };
        let metadata = file.metadata().map_err(|cause| read_error(&self.name, cause))?;
        let is_unchanged = metadata.len() == self.length
            && self.modified.is_none_or(|modified| metadata.modified().is_ok_and(|now| now == modified));
        if is_unchanged { Ok(()) } else { Err(self.changed()) }
    }

    /// The error that says that the file changed while it was read.
    pub fn changed(&self) -> ImportError {
        ImportError::Changed { file: self.name.clone() }
    }

    /// The error that an error of a reader of this source means.
    pub fn fault(&self, cause: io::Error) -> ImportError {
        let file = self.name.clone();
        let fault = match cause.downcast::<Fault>() {
            Ok(fault) => fault,
            Err(cause) => return ImportError::Read { file, cause },
        };
        let (byte, problem, expected) = match fault {
            Fault::Cancelled => return ImportError::Cancelled { file },
            Fault::Utf8 { byte } => (byte, "this is no text in UTF-8".to_owned(), "UTF-8".to_owned()),
            Fault::Gzip { byte, problem } => (byte, problem, "data as gzip writes them, to their end".to_owned()),
            Fault::Large { byte } => {
                let limit = VALUE_LIMIT / (1024 * 1024);
                (byte, format!("the value that begins here is longer than {limit} MiB"), "a shorter one".to_owned())
            }
        };
        ImportError::Damaged { file, byte, problem, expected }
    }

    fn unpacked(&self) -> Unpacked {
        let stored = self.stored(0);
        if self.is_compressed {
            let stored = BufReader::with_capacity(BUFFER, stored);
            Unpacked(Packing::Gzip(Box::new(MultiGzDecoder::new(stored))))
        } else {
            Unpacked(Packing::None(stored))
        }
    }

    fn stored(&self, offset: u64) -> Stored {
        let (storage, progress) = (self.storage.clone(), self.progress.clone());
        Stored { storage, offset, end: self.length, progress }
    }
}

fn read_error(name: &Path, cause: io::Error) -> ImportError {
    let file = name.to_owned();
    match cause.downcast::<Fault>() {
        Ok(_) => ImportError::Cancelled { file },
        Err(cause) => ImportError::Read { file, cause },
    }
}

fn open_file(path: &Path, progress: &Progress) -> io::Result<(File, Option<SystemTime>)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if metadata.is_file() { Ok((file, metadata.modified().ok())) } else { keep(file, progress) }
}

/// Copies what can be read only once.
fn keep(mut from: impl Read, progress: &Progress) -> io::Result<(File, Option<SystemTime>)> {
    let mut file = tempfile::tempfile()?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let count = from.read(&mut buffer)?;
        if progress.is_cancelled() {
            return Err(Fault::Cancelled.into());
        }
        if count == 0 {
            file.rewind()?;
            return Ok((file, None));
        }
        file.write_all(&buffer[..count])?;
        progress.add_bytes(count);
    }
}

/// Reads stored bytes, beside whoever else does.
#[derive(Debug)]
struct Stored {
    storage: Storage,
    offset: u64,
    end: u64,
    progress: Progress,
}

impl Read for Stored {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let wanted = left.min(out.len());
        let out = &mut out[..wanted];
        let count = match &self.storage {
            Storage::File(file) => file.read_at(out, self.offset)?,
            Storage::Bytes(bytes) => {
                let begin = usize::try_from(self.offset).unwrap_or(usize::MAX).min(bytes.len());
                (&bytes[begin..]).read(out)?
            }
        };
        self.offset += count as u64;
        self.progress.add_bytes(count);
        Ok(count)
    }
}

/// Reads the bytes that were packed.
pub(super) struct Unpacked(Packing);

enum Packing {
    None(Stored),
    Gzip(Box<MultiGzDecoder<BufReader<Stored>>>),
}

impl Read for Unpacked {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Packing::None(stored) => stored.read(out),
            Packing::Gzip(decoder) => decoder.read(out).map_err(|cause| {
                if cause.raw_os_error().is_some() || cause.kind() == io::ErrorKind::Interrupted {
                    return cause;
                }
                let problem = match cause.kind() {
                    io::ErrorKind::UnexpectedEof => "the compressed data end early: the file was cut off".to_owned(),
                    _ => format!("the compressed data are damaged ({cause})"),
                };
                Fault::Gzip { byte: decoder.get_ref().get_ref().offset, problem }.into()
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn text_of(source: &Source) -> Result<String, ImportError> {
        io::read_to_string(source.text(false)).map_err(|cause| source.fault(cause))
    }

    #[test]
    fn a_source_can_be_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        // Two parts, as `cat one.gz other.gz` gives them.
        std::fs::write(&path, [packed(b"abc"), packed(b"def")].concat()).unwrap();
        let file = Source::open(&Input::File(path.clone()), Progress::default()).unwrap();
        for source in [Source::bytes(b"abcdef"), file.clone()] {
            assert_eq!(text_of(&source).unwrap(), "abcdef");
            assert_eq!(text_of(&source).unwrap(), "abcdef");
            assert_eq!(source.sha256().unwrap(), "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721");
            source.check_unchanged().unwrap();
        }
        std::fs::write(&path, "x").unwrap();
        assert!(file.check_unchanged().unwrap_err().to_string().ends_with("changed while it was read"));
    }

    #[test]
    fn damaged_compressed_data_are_told_by_their_place() {
        let whole = packed(&b"some text that is long enough to be cut".repeat(9));
        let message = |bytes: &[u8]| text_of(&Source::bytes(bytes)).unwrap_err().to_string();
        let cut = message(&whole[..whole.len() - 4]);
        assert!(cut.contains(&format!("byte {}: the compressed data end early", whole.len() - 4)), "{cut}");
        let mut damaged = whole.clone();
        damaged[20] ^= 0xFF;
        assert!(message(&damaged).contains("the compressed data are damaged ("), "{}", message(&damaged));
        assert!(message(&[&whole[..], b"{}"].concat()).contains("the compressed data "));
    }

    #[test]
    fn what_can_be_read_only_once_is_kept() {
        let (file, _) = keep(&b"once"[..], &Progress::default()).unwrap();
        let source = Source::new("pipe".into(), Storage::File(Arc::new(file)), 4, None, Progress::default()).unwrap();
        assert_eq!((text_of(&source).unwrap(), text_of(&source).unwrap()), ("once".to_owned(), "once".to_owned()));
    }
}
