//! `runtime bench`: the time of an inference alone.

use crate::model_file::ModelOption;
use crate::report::{self, Report, time};
use crate::threads::{Pool, ThreadsOption};
use anyhow::Result;
use clap::builder::PossibleValuesParser;
use edge8::KernelSet;
use edge8::internal::Probe;
use edge8::{Model, Shape, Threads};
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
    /// Measure other kernels than the fastest ones.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(KernelSet::available().map(KernelSet::name)))]
    kernels: Option<String>,
    #[command(flatten)]
    threads: ThreadsOption,
    /// Print the time that each layer takes as well.
    #[arg(long)]
    layers: bool,
    /// Print one JSON object with the keys ns (median), kernels, threads and, with --layers, layers and peak_gmacs.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let file = arguments.model.load()?;
    let mut model = file.parse()?;
    if let Some(name) = &arguments.kernels {
        model = model.with_kernels(KernelSet::named(name)?);
    }
    let pool = arguments.threads.start()?;
    pool.install(|| measure(arguments, &model, &pool))
}

fn measure(arguments: &Arguments, model: &Model<'_>, pool: &Pool) -> Result<()> {
    let input = noise(model.input().shape.len());
    let mut arena = files::arena(model, pool.count())?;
    let mut output = vec![0; model.output().shape.len()];
    let times = repeat(|| {
        let start = Instant::now();
        model.run_on(pool, black_box(&input), &mut arena, black_box(&mut output), |_| ())?;
        Ok(start.elapsed())
    })?;
    let (median, fastest) = (times[times.len() / 2], times[0]);
    let kernels = model.kernels().name();
    let report = Report::new(arguments.json);
    let (shown, least) = (time(median.as_nanos()), time(fastest.as_nanos()));
    report.text(&format!(
        "{shown} per inference (median of {}, fastest {least}), kernels {kernels}, threads {}",
        times.len(),
        pool.count()
    ))?;
    let peak = if arguments.layers { peak(model.kernels()) } else { 0.0 };
    let layers =
        if arguments.layers { layers(model, pool, &input, &mut arena, &mut output)? } else { Vec::new() };
    if arguments.layers {
        report.text(&format!(
            "peak of these kernels on one thread, measured on a large product: {peak:.1} GMAC/s"
        ))?;
        report.text(&table(model, &layers, peak))?;
    }
    report.finish(&json!({
        "ns": median.as_nanos() as u64,
        "kernels": kernels,
        "threads": pool.count(),
        "runs": times.len(),
        "fastest_ns": fastest.as_nanos() as u64,
        "peak_gmacs": arguments.layers.then_some(peak),
        "layers": layers.iter().map(|time| time.as_nanos() as u64).collect::<Vec<_>>(),
    }))
}

/// The times of many runs, sorted.
fn repeat(mut run: impl FnMut() -> Result<Duration>) -> Result<Vec<Duration>> {
    for _ in 0..WARM_UP {
        run()?;
    }
    let mut times = Vec::new();
    let begin = Instant::now();
    while times.len() < RUNS || begin.elapsed() < TIME {
        times.push(run()?);
    }
    times.sort_unstable();
    Ok(times)
}

/// The mean time of each layer. Reading the clock after every few rows takes time of its own, that of the layers that are
/// streamed most of all.
fn layers(
    model: &Model<'_>,
    pool: &Pool,
    input: &[i8],
    arena: &mut [u8],
    output: &mut [i8],
) -> Result<Vec<Duration>> {
    let mut times = vec![Duration::ZERO; model.operators().len()];
    let runs = repeat(|| {
        let begin = Instant::now();
        let mut last = begin;
        model.run_on(pool, input, arena, output, |computed| {
            let now = Instant::now();
            times[computed.index] += now - last;
            last = now;
        })?;
        Ok(begin.elapsed())
    })?;
    let count = (runs.len() + WARM_UP) as u32;
    Ok(times.into_iter().map(|time| time / count).collect())
}

/// 10^9 multiply-accumulates a second that the kernels reach where nothing holds them up: the best of many tries.
fn peak(kernels: KernelSet) -> f64 {
    const TRIES: usize = 200;
    const RUNS: u32 = 10;
    let mut probe = Probe::new(kernels);
    let try_once = || {
        let start = Instant::now();
        for _ in 0..RUNS {
            black_box(&mut probe).run();
        }
        start.elapsed()
    };
    let best = std::iter::repeat_with(try_once).take(TRIES).min().unwrap_or_default();
    (Probe::MACS * u64::from(RUNS)) as f64 / (best.as_nanos() as f64).max(1.0)
}

fn table(model: &Model<'_>, times: &[Duration], peak: f64) -> String {
    let whole: Duration = times.iter().sum();
    let mut text = format!(
        "{:>3} {:<17} {:<12} {:>10} {:>6} {:>8} {:>8}",
        "#", "operator", "output", "time", "share", "GMAC/s", "of peak"
    );
    for (index, (operator, time)) in model.operators().zip(times).enumerate() {
        let Shape { height, width, channels } = operator.output().shape;
        let share = 100.0 * time.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE);
        let speed = operator.macs() as f64 / (time.as_nanos() as f64).max(1.0);
        text += &format!(
            "\n{index:>3} {:<17} {:<12} {:>10} {share:>5.1}% {speed:>8.1} {:>7.1}%",
            operator.name(),
            format!("{height}x{width}x{channels}"),
            report::time(time.as_nanos()),
            100.0 * speed / peak,
        );
    }
    text
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
