//! What processes have used, as the kernel counts it.

use std::time::Duration;

use anyhow::Context;

/// Kernel ticks a second, as /proc reports times on every Linux of the last twenty years.
const TICKS_PER_SECOND: u64 = 100;

/// Processor time of all threads of this process, user and system.
pub(crate) fn processor_time() -> anyhow::Result<Duration> {
    processor_time_of(std::process::id())
}

/// The same of the process with that number.
fn processor_time_of(process: u32) -> anyhow::Result<Duration> {
    // utime and stime.
    let ticks: u64 = stat(process)?.iter().skip(11).take(2).sum();
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// A process and all that it has started, such as the workers of a server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Family(pub(crate) u32);

impl Family {
    /// Processor time of those that live.
    pub(crate) fn processor_time(self) -> anyhow::Result<Duration> {
        self.members()?.into_iter().map(processor_time_of).sum()
    }

    /// Memory in bytes: pages that several processes share count once.
    pub(crate) fn memory(self) -> anyhow::Result<u64> {
        self.members()?.into_iter().map(|process| kibibytes(process, "smaps_rollup", "Pss:")).sum()
    }

    fn members(self) -> anyhow::Result<Vec<u32>> {
        let processes = std::fs::read_dir("/proc")
            .context("failed to read /proc")?
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        // One that ends meanwhile has no parent any more.
        let parents: Vec<(u32, u32)> =
            processes.filter_map(|process| Some((process, *stat(process).ok()?.get(1)? as u32))).collect();
        let mut members = vec![self.0];
        let mut at = 0;
        while let Some(parent) = members.get(at).copied() {
            members.extend(parents.iter().filter(|(_, its)| *its == parent).map(|(process, _)| *process));
            at += 1;
        }
        Ok(members)
    }
}

/// The numbers after the command's name and state, which is taken as 0; the first is the state's place.
fn stat(process: u32) -> anyhow::Result<Vec<u64>> {
    let path = format!("/proc/{process}/stat");
    let stat = std::fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))?;
    // The command's name, in brackets, may hold spaces: count fields after it.
    let after_name = stat.rsplit_once(')').with_context(|| format!("no command name in {path}"))?.1;
    Ok(after_name.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect())
}

/// Resident memory in bytes, of this process.
pub(crate) fn resident_bytes() -> anyhow::Result<u64> {
    resident_bytes_of(std::process::id())
}

/// Resident memory in bytes, of the process with that number.
pub(crate) fn resident_bytes_of(process: u32) -> anyhow::Result<u64> {
    kibibytes(process, "status", "VmRSS:")
}

/// Threads of this process.
pub(crate) fn threads() -> anyhow::Result<usize> {
    entries("/proc/self/task")
}

/// Open files of this process.
pub(crate) fn open_files() -> anyhow::Result<usize> {
    entries("/proc/self/fd")
}

fn entries(folder: &str) -> anyhow::Result<usize> {
    Ok(std::fs::read_dir(folder).with_context(|| format!("failed to read {folder}"))?.count())
}

fn kibibytes(process: u32, file: &str, name: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/{file}");
    let lines = std::fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))?;
    let line = lines.lines().find_map(|line| line.strip_prefix(name));
    let line = line.with_context(|| format!("no {name} in {path}"))?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().context("an unreadable size")?;
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
    fn a_process_resides_in_memory_and_has_threads_and_files() {
        assert!(resident_bytes().expect("procfs is there") > 100_000);
        assert!(threads().expect("procfs is there") > 0);
        assert!(open_files().expect("procfs is there") > 2);
    }

    #[test]
    fn what_a_process_has_started_belongs_to_it() {
        let family = Family(std::process::id());
        let alone = family.memory().expect("procfs is there");
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("it starts");
        let members = family.members().expect("procfs is there");
        assert_eq!(members, [std::process::id(), child.id()]);
        assert!(family.memory().expect("procfs is there") > alone / 2);
        child.kill().expect("it lives");
        child.wait().expect("it ends");
    }
}
