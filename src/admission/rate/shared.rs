//! Buckets in Redis, for all servers together.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Bucket, Charge, Owner, RateRefusal, Standing};
use crate::cache::redis::{RedisTier, ScriptFailure};
use crate::domain::hex;

/// How long a server that refuses the script is not asked again.
const PAUSE: Duration = Duration::from_secs(10);

/// Takes points from all buckets, or from none. Time is the server's, so that those who ask need not agree on it; a bucket
/// is the time at which it is full, in microseconds, and gone by then. One that says more than an empty bucket needs, because
/// the clock or the setting has changed, counts as an empty one.
const SCRIPT: &str = r"
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local answer = {1}
local full = {}
for i, key in ipairs(KEYS) do
  local point = 1000000 / ARGV[2 * i]
  local whole = ARGV[2 * i + 1] * point
  local before = tonumber(redis.call('GET', key) or now) or now
  before = math.min(math.max(before, now), now + whole)
  full[i] = before + ARGV[1] * point
  answer[2 * i] = math.floor((now + whole - before) / point)
  answer[2 * i + 1] = math.max(0, math.ceil(full[i] - now - whole))
  if answer[2 * i + 1] > 0 then answer[1] = 0 end
end
if answer[1] == 1 then
  for i, key in ipairs(KEYS) do
    local lifetime = math.ceil((full[i] - now) / 1000) + 1
    redis.call('SET', key, string.format('%.0f', full[i]), 'PX', string.format('%.0f', lifetime))
    answer[2 * i] = answer[2 * i] - ARGV[1]
  end
end
return answer
";

/// The buckets in Redis.
pub struct SharedRates {
    redis: RedisTier,
    paused: Mutex<Option<Instant>>,
}

impl SharedRates {
    pub fn new(redis: RedisTier) -> Self {
        Self { redis, paused: Mutex::new(None) }
    }

    /// Takes points from all buckets or from none, in one round trip; nothing when the server does not answer in time.
    pub async fn charge(&self, buckets: &[Bucket], cost: NonZeroU32) -> Option<Charge> {
        if self.is_paused() {
            return None;
        }
        let names = buckets.iter().map(|bucket| name(bucket.owner)).collect();
        let rates = buckets.iter().flat_map(|bucket| [bucket.rate.per_second, bucket.rate.burst]);
        let arguments = std::iter::once(cost).chain(rates).map(|number| i64::from(number.get())).collect();
        match self.redis.run_script(SCRIPT, names, arguments).await {
            Ok(answer) => read(buckets, &answer),
            Err(ScriptFailure::Unavailable) => None,
            Err(ScriptFailure::Refused(cause)) => {
                self.pause(&cause);
                None
            }
        }
    }

    fn is_paused(&self) -> bool {
        let paused = *self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        paused.is_some_and(|since| since.elapsed() < PAUSE)
    }

    fn pause(&self, cause: &str) {
        *self.paused.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        tracing::warn!(cause, "the shared cache does not keep rate limits: each server counts for itself meanwhile");
    }
}

/// The name of a bucket among all.
fn name(owner: Owner) -> String {
    match owner {
        Owner::Principal(id) => format!("p:{}", hex(&id)),
        Owner::Address(address) => format!("a:{address}"),
    }
}

/// What the script answers: whether points were taken; then of each bucket what is in it, and for how many microseconds there is
/// not enough.
fn read(buckets: &[Bucket], answer: &[i64]) -> Option<Charge> {
    let (&taken, rest) = answer.split_first()?;
    let mut charge = Charge { standings: Vec::with_capacity(buckets.len()), refusal: None };
    let mut longest = 0;
    for (bucket, figures) in buckets.iter().zip(rest.chunks_exact(2)) {
        let (share, rate) = (bucket.owner.share(), bucket.rate);
        let [remaining, wait] = figures else { return None };
        charge.standings.push(Standing { share, rate, remaining: u32::try_from(*remaining).unwrap_or(0) });
        let wait = u64::try_from(*wait).unwrap_or(0);
        if taken == 0 && wait > longest {
            longest = wait;
            charge.refusal = Some(RateRefusal::Later { share, wait: Duration::from_micros(wait) });
        }
    }
    (charge.standings.len() == buckets.len()).then_some(charge)
}
