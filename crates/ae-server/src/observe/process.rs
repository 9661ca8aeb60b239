//! What the system says of this process and of itself. Where it does not say, the values are 0 or empty.

use std::fs;

/// Ticks of the kernel's clock in a second, as far as processes see it.
const TICKS: f64 = 100.0;

/// Seconds of processor time.
#[derive(Default)]
pub struct CpuTimes {
    pub system: f64,
    pub user: f64,
    pub children_system: f64,
    pub children_user: f64,
}

/// Of the whole process.
pub fn cpu_times() -> CpuTimes {
    times_in("/proc/self/stat")
}

/// Of the thread that serves.
pub fn thread_cpu_times() -> CpuTimes {
    times_in("/proc/thread-self/stat")
}

fn times_in(path: &str) -> CpuTimes {
    // Fields are counted behind the name, which may hold spaces.
    let stat = fs::read_to_string(path).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let seconds = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0) / TICKS;
    CpuTimes { user: seconds(11), system: seconds(12), children_user: seconds(13), children_system: seconds(14) }
}

/// Bytes of memory that the process has, as the kernel counts.
pub fn resident_memory() -> u64 {
    kilobytes_in("/proc/self/status", "VmRSS:")
}

/// Bytes of memory that the machine has.
pub fn system_memory() -> u64 {
    kilobytes_in("/proc/meminfo", "MemTotal:")
}

fn kilobytes_in(path: &str, name: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// The operating system, its release and the machine, as `uname` prints them.
pub fn system() -> String {
    let of = |name: &str| fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default().trim().to_string();
    format!("{} {} {}", of("ostype"), of("osrelease"), std::env::consts::ARCH)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn the_system_answers() {
        assert!(resident_memory() > 100_000 && system_memory() > resident_memory());
        assert!(system().starts_with("Linux "));
        // Some time has passed for whoever spends it.
        while cpu_times().user == 0.0 {
            std::hint::black_box((0..1000).sum::<u64>());
        }
    }
}
