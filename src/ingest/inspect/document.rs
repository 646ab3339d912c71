//! Reading a log in passes, without holding its samples.

use std::rc::Rc;

use serde::de::{Error as _, MapAccess};
use serde_json::Value;

use super::EXPECTED_FILE;
use super::log::{Frame, Sample};
use super::survey::Survey;
use crate::ingest::ImportError;
use crate::ingest::source::{Each, Meter, Object, ObjectReader, Source, Stop, StopReason};

/// The versions of the format.
const VERSIONS: [f64; 2] = [1.0, 2.0];

/// What a first pass over a log found out.
pub(super) struct FirstPass {
    pub frame: Frame,
    /// Of no samples as yet.
    pub survey: Survey,
    /// Characters that were replaced.
    pub replaced: usize,
}

/// Reads everything but the samples.
pub(super) fn read_frame(source: &Source) -> Result<FirstPass, ImportError> {
    let text = source.text(true);
    let meter = text.meter();
    let mut reader = FrameReader { meter: Rc::clone(&meter), frame: Frame::default(), stop: Stop::default() };
    let parsed = source.parse(text, Object::new(&mut reader), EXPECTED_FILE);
    let FrameReader { frame, stop, .. } = reader;
    stop.or(source, parsed)?;
    Ok(FirstPass { frame, survey: Survey::new(source.progress().clone()), replaced: meter.replaced() })
}

/// Reads the samples alone.
pub(super) fn read_samples(
    source: &Source,
    take: &mut dyn FnMut(Sample) -> Result<(), StopReason>,
) -> Result<(), ImportError> {
    let text = source.text(true);
    let mut reader = SamplesReader { meter: text.meter(), take, stop: Stop::default() };
    let parsed = source.parse(text, Object::new(&mut reader), EXPECTED_FILE);
    let SamplesReader { stop, .. } = reader;
    stop.or(source, parsed)
}

struct FrameReader {
    meter: Rc<Meter>,
    frame: Frame,
    stop: Stop,
}

impl<'de> ObjectReader<'de> for FrameReader {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        let Self { meter, frame, stop } = self;
        meter.begin_value();
        match name {
            "version" => {
                let version = map.next_value::<Value>()?;
                frame.version = version.as_f64();
                if frame.version.is_none_or(|version| !VERSIONS.contains(&version)) {
                    let problem =
                        format!("logs of version {version} are not known to this release, which reads 1 and 2");
                    return Err(A::Error::custom(stop.at(StopReason::Unsupported(problem))));
                }
            }
            "status" => frame.status = map.next_value()?,
            "eval" => frame.eval = map.next_value()?,
            "plan" => frame.plan = map.next_value::<Option<_>>()?.unwrap_or_default(),
            "results" => frame.results = map.next_value()?,
            "stats" => frame.stats = map.next_value::<Option<_>>()?.unwrap_or_default(),
            "error" => frame.error = map.next_value()?,
            "tags" => frame.tags = map.next_value()?,
            "metadata" => frame.metadata = map.next_value()?,
            "samples" if frame.has_samples => return Err(A::Error::custom("duplicate field `samples`")),
            "samples" => {
                frame.has_samples = true;
                meter.pass_over(map)?;
            }
            "evalId" | "promptIdx" | "testIdx" | "promptId" => {
                let problem = "this looks like a file of promptfoo: use `evalgraph import promptfoo`";
                return Err(A::Error::custom(stop.at(StopReason::Unsupported(problem.to_owned()))));
            }
            _ => meter.pass_over(map)?,
        }
        meter.begin_value();
        Ok(())
    }

    fn end(&self) -> Option<&'static str> {
        self.frame.eval.is_none().then_some("this is no log of Inspect: it has no `eval`")
    }
}

struct SamplesReader<'a> {
    meter: Rc<Meter>,
    take: &'a mut dyn FnMut(Sample) -> Result<(), StopReason>,
    stop: Stop,
}

impl<'de> ObjectReader<'de> for SamplesReader<'_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        let Self { meter, take, stop } = self;
        if name != "samples" {
            return meter.pass_over(map);
        }
        meter.begin_value();
        map.next_value_seed(Each::new(|sample: Sample| {
            meter.begin_value();
            take(sample).map_err(|reason| stop.at(reason))
        }))
    }
}
