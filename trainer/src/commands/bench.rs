//! `trainer bench`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use edge8::{Framing, Preparation, Sizing};
use files::Dataset;
use trainer::fit::{Recipe, Wishes, measure_steps};

use super::device::Where;
use super::prepare::{Colours, InputSize};

/// Options of `trainer bench`.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Rows and columns of pictures, N or ROWSxCOLUMNS [default: digits of 32].
    #[arg(long, value_name = "SIZE")]
    input_size: Option<InputSize>,
    /// Of pictures: grey or in colour.
    #[arg(long, value_enum, requires = "input_size", default_value_t = Colours::Grey)]
    colours: Colours,
    /// Width multiplier of the channels.
    #[arg(long, default_value_t = 0.35)]
    alpha: f64,
    #[command(flatten)]
    r#where: Where,
    /// Pictures for one step.
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(2..=65536))]
    batch_size: u32,
    /// Measure steps alone, all on the same batch: without what prepares the next one meanwhile.
    #[arg(long)]
    prepared: bool,
    /// Steps to measure.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Print one JSON object: ms (median milliseconds of a step), fastest, steps, batch_size, threads.
    #[arg(long)]
    json: bool,
}

impl Bench {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<ExitCode> {
        let device = self.r#where.device()?;
        device.check()?;
        let batch_size = self.batch_size as usize;
        let data = noise(self.preparation(), batch_size.max(512));
        // As many pictures of each class as MNIST has; outliers would be more pictures than are asked for.
        let wishes = Wishes {
            seed: 1,
            alpha: Some(self.alpha),
            batch_size: Some(batch_size),
            outliers: Some(0.0),
            ..Wishes::default()
        };
        let recipe = Recipe::choose(&wishes, &data.preparation, data.classes.clone(), &[5500; 10])?;
        let mut times = measure_steps(&recipe, &data, self.steps as usize, device, self.prepared)?;
        times.sort_by(f64::total_cmp);
        let (median, fastest) = (times[times.len() / 2], times[0]);
        let (batch, threads) = (recipe.batch_size, std::thread::available_parallelism()?);
        if self.json {
            let steps = self.steps;
            println!(
                "{}",
                serde_json::json!({ "ms": median, "fastest": fastest, "steps": steps, "batch_size": batch, "threads": threads })
            );
        } else {
            let digits = if median < 10.0 { 2 } else { 1 };
            println!(
                "{median:.digits$} ms per step of {batch} pictures (median of {}, fastest {fastest:.digits$}), {threads} threads",
                self.steps
            );
        }
        Ok(ExitCode::SUCCESS)
    }

    fn preparation(&self) -> Preparation {
        match self.input_size {
            None => Preparation::Digit(Framing::mnist(32)),
            Some(InputSize(size)) => Preparation::Picture(Sizing::stretch(size, self.colours.channels())),
        }
    }
}

/// Pictures of noise: the time of a step does not depend on what they show.
fn noise(preparation: Preparation, count: usize) -> Dataset {
    let byte = |index: usize| (index.wrapping_mul(0x9E37_79B9) >> 13) as u8;
    Dataset {
        preparation,
        images: (0..count * preparation.shape().len()).map(byte).collect(),
        groups: (0..count as u32).collect(),
        labels: (0..count as u32).map(|index| index % 10).collect(),
        classes: (0..10).map(|digit| digit.to_string()).collect(),
        sha256: String::new(),
    }
}
