//! What the system says of this process. Only Linux is asked; elsewhere nothing is told.

use std::fs;

/// What the system says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Process {
    /// Processor time in this program, in seconds.
    pub user_seconds: f64,
    /// Processor time in the system for this program, in seconds.
    pub system_seconds: f64,
    /// Memory that is not swapped out, in bytes.
    pub memory: u64,
    /// Files that are open.
    pub open_files: u64,
    /// How many files may be open, if there is a limit.
    pub open_files_limit: Option<u64>,
}

impl Process {
    /// Asks the system.
    pub fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let memory = fs::read_to_string("/proc/self/statm").ok()?;
        let (user_ticks, system_ticks) = ticks(&stat)?;
        let pages: u64 = memory.split_ascii_whitespace().nth(1)?.parse().ok()?;
        let per_second = rustix::param::clock_ticks_per_second() as f64;
        Some(Self {
            user_seconds: user_ticks as f64 / per_second,
            system_seconds: system_ticks as f64 / per_second,
            memory: pages * rustix::param::page_size() as u64,
            open_files: fs::read_dir("/proc/self/fd").ok()?.count() as u64,
            open_files_limit: rustix::process::getrlimit(rustix::process::Resource::Nofile).current,
        })
    }
}

/// The fourteenth and the fifteenth field; the second is a name in parentheses that may have anything in it.
fn ticks(stat: &str) -> Option<(u64, u64)> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_have_anything_in_it() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194560 100 0 0 0 7 9 0 0 20 0 4 0 100 1 1";
        assert_eq!(ticks(stat), Some((7, 9)));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_tells() {
        let process = Process::read().expect("the system tells");
        assert!(process.memory > 1 << 20 && process.open_files >= 3, "{process:?}");
    }
}
