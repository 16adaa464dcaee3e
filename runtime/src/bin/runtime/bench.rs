//! `runtime bench`: the time of an inference alone.

use crate::model_file::{self, ModelOption};
use crate::report::{Report, time};
use anyhow::Result;
use serde_json::json;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Runs before the clock counts: caches and the processor's frequency settle.
const WARM_UP: usize = 10;

/// At least this many runs are timed, and for at least this time.
const RUNS: usize = 100;
const TIME: Duration = Duration::from_secs(2);

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ModelOption,
    /// Print one JSON object with the keys ns (median) and kernels.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let file = arguments.model.load()?;
    let model = file.parse()?;
    let input = noise(model.input().shape.len());
    let mut arena = model_file::arena(&model)?;
    let mut output = vec![0; model.output().shape.len()];
    let mut times = Vec::new();
    for _ in 0..WARM_UP {
        model.run(&input, &mut arena, &mut output)?;
    }
    let begin = Instant::now();
    while times.len() < RUNS || begin.elapsed() < TIME {
        let start = Instant::now();
        model.run(black_box(&input), &mut arena, black_box(&mut output))?;
        times.push(start.elapsed().as_nanos());
    }
    times.sort_unstable();
    let (median, fastest) = (times[times.len() / 2], times[0]);
    let kernels = model.kernels().name();
    let report = Report::new(arguments.json);
    let (shown, least) = (time(median), time(fastest));
    report.text(&format!(
        "{shown} per inference (median of {}, fastest {least}), kernels {kernels}",
        times.len()
    ))?;
    report.finish(&json!({
        "ns": median as u64,
        "kernels": kernels,
        "runs": times.len(),
        "fastest_ns": fastest as u64,
    }))
}

/// Values without a pattern, the same in every run.
fn noise(length: usize) -> Vec<i8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as i8
    };
    (0..length).map(|_| next()).collect()
}
