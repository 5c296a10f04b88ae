//! Figures, times and memory.

use serde::{Deserialize, Serialize};
use std::{borrow::Cow, env, fs, path::PathBuf, time::Instant};

/// One figure, as it is printed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Figure<'a> {
    peer: Cow<'a, str>,
    workload: Cow<'a, str>,
    metric: Cow<'a, str>,
    value: f64,
    unit: Cow<'a, str>,
    threads: usize,
}

pub(crate) fn print_heading() {
    println!("{:<28} {:<22} {:>14} {:<10} {:>7}", "workload", "metric", "value", "unit", "threads");
}

pub(crate) fn print_row(figure: &Figure<'_>) {
    let Figure { workload, metric, value, unit, threads, .. } = figure;
    println!("{workload:<28} {metric:<22} {value:>14.4} {unit:<10} {threads:>7}");
}

/// What a workload is told, and where its figures go.
pub(crate) struct Bench {
    pub(crate) workload: &'static str,
    /// A folder of initial weights, `<workload>.safetensors`.
    pub(crate) init: Option<PathBuf>,
    threads: usize,
    json: bool,
    repeats: usize,
    seconds: f64,
}

impl Bench {
    /// `PEER_REPEATS` and `PEER_REPEAT_SECONDS` say how often and how long to measure, here as in the scripts for Python.
    pub(crate) fn new(workload: &'static str, threads: usize, json: bool, init: Option<PathBuf>) -> Self {
        let number = |name, default| {
            env::var(name)
                .ok()
                .and_then(|text| text.parse::<f64>().ok())
                .filter(|&x| x > 0.0)
                .unwrap_or(default)
        };
        let repeats = number("PEER_REPEATS", 7.0) as usize;
        Bench { workload, init, threads, json, repeats, seconds: number("PEER_REPEAT_SECONDS", 1.0) }
    }

    pub(crate) fn report(&self, metric: &str, value: f64, unit: &str) {
        let (workload, threads) = (self.workload.into(), self.threads);
        let figure = Figure {
            peer: "wengert".into(),
            workload,
            metric: metric.into(),
            value,
            unit: unit.into(),
            threads,
        };
        match self.json {
            true => println!("{}", serde_json::to_string(&figure).expect("names and a finite number")),
            false => print_row(&figure),
        }
    }

    /// The median over the repeats of the seconds that a call takes, after a warm-up. A repeat makes `calls` calls, or as
    /// many as take the time of a repeat.
    pub(crate) fn seconds_per_call(&self, calls: impl Into<Option<usize>>, mut call: impl FnMut()) -> f64 {
        call();
        let calls = match calls.into() {
            Some(calls) => {
                (0..(calls / 5).max(1)).for_each(|_| call());
                calls
            }
            None => {
                let (start, mut done) = (Instant::now(), 0);
                while start.elapsed().as_secs_f64() < 0.3 || done < 2 {
                    call();
                    done += 1;
                }
                let each = start.elapsed().as_secs_f64() / f64::from(done);
                ((self.seconds / each) as usize).max(1)
            }
        };
        let repeat = |_| {
            let start = Instant::now();
            (0..calls).for_each(|_| call());
            start.elapsed().as_secs_f64() / calls as f64
        };
        median((0..self.repeats).map(repeat).collect())
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}

/// What this process holds in memory, and the most it ever held, in MiB; nothing where the system does not say.
pub(crate) fn resident_mib() -> Option<(f64, f64)> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let field = |name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: f64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some(kib / 1024.0)
    };
    Some((field("VmRSS:")?, field("VmHWM:")?))
}
