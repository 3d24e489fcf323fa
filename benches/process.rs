//! What a process costs: time, processor, memory and wake-ups, as the kernel tells of it. Linux only; elsewhere the
//! figures are missing and what needs them is skipped.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// The cost of a process up to a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time of all its threads, user and system. To the nanosecond while it lives; of threads that have
    /// ended, and of a process that has ended, to 10–20 ms.
    pub cpu: Duration,
    /// Bytes resident now.
    pub resident: u64,
    /// The most bytes that were ever resident.
    pub peak: u64,
    /// How often its threads went to sleep of their own will, which is how often something woke them.
    pub wakeups: u64,
    /// Threads alive.
    pub threads: u64,
}

impl Usage {
    /// The cost since an earlier moment; memory and threads are as they are now.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            wakeups: self.wakeups.saturating_sub(earlier.wakeups),
            ..self
        }
    }
}

/// The cost of a process until now; nothing when it is gone or this is not Linux.
pub fn usage(pid: u32) -> Option<Usage> {
    let read = |path: String| std::fs::read_to_string(path).ok();
    let status = read(format!("/proc/{pid}/status"))?;
    let stat = read(format!("/proc/{pid}/stat"))?;
    // After the name, which may hold anything up to the last parenthesis: state is field 3, times are 14 and 15.
    let ticks: u64 = stat[stat.rfind(')')? + 1..]
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|text| text.parse::<u64>().ok())
        .sum();
    let (mut nanoseconds, mut wakeups) = (0_u64, 0);
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        let task = task.path();
        let read = |name: &str| std::fs::read_to_string(task.join(name)).unwrap_or_default();
        nanoseconds += read("schedstat").split_whitespace().next().and_then(|t| t.parse().ok()).unwrap_or(0);
        wakeups += number(&read("status"), "voluntary_ctxt_switches:");
    }
    Some(Usage {
        // The kernel reports ticks of 10 ms for every process, scaled from what it counts and rounded down.
        cpu: Duration::from_nanos(nanoseconds).max(Duration::from_millis(ticks * 10)),
        resident: number(&status, "VmRSS:") * 1024,
        peak: number(&status, "VmHWM:") * 1024,
        wakeups,
        threads: number(&status, "Threads:"),
    })
}

/// The most bytes of memory a process ever had; 0 when it is gone.
pub fn peak_memory(pid: u32) -> u64 {
    std::fs::read_to_string(format!("/proc/{pid}/status"))
        .map_or(0, |status| number(&status, "VmHWM:") * 1024)
}

fn number(text: &str, key: &str) -> u64 {
    text.lines()
        .find_map(|line| line.strip_prefix(key))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// A program that has run to its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run {
    /// From before it was started to its end.
    pub total: Duration,
    /// To the first byte on its standard output.
    pub first_byte: Option<Duration>,
    /// Bytes on its standard output.
    pub bytes: u64,
    /// Newlines among them.
    pub lines: u64,
    /// Its cost; memory sampled every four milliseconds, wake-ups unknown.
    pub usage: Usage,
    /// Whether it ended well.
    pub success: bool,
}

/// Runs a program to its end, its standard output piped to here, standard error thrown away.
pub fn run(command: &mut Command) -> io::Result<Run> {
    let mut out = Run::default();
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut pipe = child.stdout.take().expect("piped");
    let pid = child.id();
    let (ended, peak) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Relaxed) {
                peak.fetch_max(peak_memory(pid), Relaxed);
                std::thread::sleep(Duration::from_millis(4));
            }
        });
        let mut buffer = vec![0; 1 << 16];
        while let Ok(read) = pipe.read(&mut buffer) {
            if read == 0 {
                break;
            }
            out.first_byte.get_or_insert_with(|| started.elapsed());
            out.bytes += read as u64;
            out.lines += memchr::memchr_iter(b'\n', &buffer[..read]).count() as u64;
        }
        await_end(pid);
        out.total = started.elapsed();
        ended.store(true, Relaxed);
    });
    // It is dead and not yet buried: the kernel still knows what it has used.
    out.usage = usage(pid).unwrap_or_default();
    out.usage.peak = peak.into_inner();
    out.success = child.wait()?.success();
    Ok(out)
}

/// Waits for the end of a child and leaves it to be reaped, so that its figures can still be read.
#[cfg(unix)]
pub fn await_end(pid: u32) {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
    }
}

/// Waits for the end of a child and leaves it to be reaped, so that its figures can still be read.
#[cfg(not(unix))]
pub fn await_end(_pid: u32) {}

/// The instructions a command executes, counted by valgrind's callgrind; with `toggle`, only inside the functions of
/// that name (as callgrind matches it, wildcards allowed; the program must not be stripped). Nothing without valgrind,
/// when the program fails or when nothing was counted.
pub fn callgrind(command: &[&str], toggle: Option<&str>) -> Option<u64> {
    let out = tempfile::NamedTempFile::new().ok()?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--quiet"]);
    valgrind.arg(format!("--callgrind-out-file={}", out.path().display()));
    if let Some(function) = toggle {
        valgrind.arg(format!("--toggle-collect={function}"));
    }
    let status = valgrind
        .args(command)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()?;
    let text = std::fs::read_to_string(out.path()).ok()?;
    let summary =
        |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse::<u64>().ok());
    summary("totals:").or_else(|| summary("summary:")).filter(|count| *count > 0 && status.success())
}

/// Where the program of this name is on the path.
pub fn on_path(program: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}
