//! What a process has used, as the kernel counts it.

use std::time::Duration;

use anyhow::Context;

/// Kernel ticks a second, as /proc reports times on every Linux of the last twenty years.
const TICKS_PER_SECOND: u64 = 100;

/// Processor time of all threads, user and system.
pub(crate) fn processor_time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("failed to read /proc/self/stat")?;
    // The command's name, in brackets, may hold spaces: count fields after it. utime and stime are the 14th and 15th.
    let after_name = stat.rsplit_once(')').context("no command name in /proc/self/stat")?.1;
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// Resident memory in bytes, of this process.
pub(crate) fn resident_bytes() -> anyhow::Result<u64> {
    resident_bytes_of(std::process::id())
}

/// Resident memory in bytes, of the process with that number.
pub(crate) fn resident_bytes_of(process: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().context("unreadable VmRSS")?;
    Ok(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted_as_processor_time() {
        let before = processor_time().expect("procfs is there");
        let mut sum = 0_u64;
        while processor_time().expect("procfs is there") < before + Duration::from_millis(30) {
            sum = std::hint::black_box(sum + 1);
        }
        assert!(sum > 0);
    }

    #[test]
    fn a_process_resides_in_memory() {
        assert!(resident_bytes().expect("procfs is there") > 100_000);
    }
}
