//! `runtime eval`: the accuracy on a data set.

use crate::classifier::Classifier;
use crate::model_file::ModelOption;
use crate::report::{Report, time};
use crate::threads::Pool;
use anyhow::{Result, anyhow};
use edge8::Model;
use edge8_preprocess::Picture;
use files::{LeftOut, Order, Pictures, Set, data_folder};
use serde_json::json;
use std::ops::Range;
use std::path::PathBuf;
use std::thread;
use std::time::Instant;

/// Where a repository has its test images.
const DEFAULT: &str = "trainer/data/mnist";

#[derive(clap::Args)]
pub struct Arguments {
    /// Folder with MNIST's idx files, gz or not, or with one subfolder of pictures per class.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    model: ModelOption,
    /// Also tell how many answers are next to the right one, of classes that follow one another.
    #[arg(long, value_name = "line|cycle")]
    order: Option<Order>,
    /// End at pictures that cannot be read, instead of counting them as wrong.
    #[arg(long)]
    strict: bool,
    /// Print one JSON object with the keys images, correct, accuracy, unreadable, and with --order at_most_1_beside and
    /// at_most_2_beside.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let file = arguments.model.load()?;
    let model = file.parse()?;
    let classifier = Classifier::new(model, Pool::ALONE)?;
    let classes = classifier.classes();
    let labels: Vec<String> = (0..classes).map(|class| classifier.label(class)).collect();
    let data = Pictures::open_for(&data_folder(arguments.data.as_deref(), DEFAULT)?, Set::Any, &labels)?;
    let begin = Instant::now();
    let predicted = classify_all(model, &data)?;
    let per_image = begin.elapsed().as_nanos() / data.len() as u128;
    let report = Report::new(arguments.json);
    let mut confusion = vec![vec![0; classes]; classes];
    let mut reasons = Vec::new();
    for (class, &label) in predicted.into_iter().zip(data.labels()?) {
        match class {
            Ok(class) => confusion[label as usize][class] += 1,
            Err(error) => reasons.push(format!("{error:#}")),
        }
    }
    let unreadable = LeftOut::new(data.len(), reasons);
    unreadable.check(arguments.strict)?;
    let correct: usize = (0..classes).map(|class| confusion[class][class]).sum();
    let accuracy = correct as f64 / data.len() as f64;
    let mut images = vec![0; classes];
    data.labels()?.iter().for_each(|&label| images[label as usize] += 1);
    for (class, images) in images.iter().enumerate() {
        let (label, correct) = (classifier.label(class), confusion[class][class]);
        report.text(&format!("{label}: {correct} of {images}"))?;
    }
    if !unreadable.is_empty() {
        report.text(&format!("\n{}", unreadable.told("unreadable, counted as wrong")))?;
    }
    report.text(&format!(
        "\n{correct} of {} correct, accuracy {:.2} %, {} per image",
        data.len(),
        100.0 * accuracy,
        time(per_image)
    ))?;
    let mut result = json!({
        "images": data.len(),
        "correct": correct,
        "accuracy": accuracy,
        "unreadable": unreadable.len(),
    });
    if let Some(order) = arguments.order {
        report.text(&order.told(&confusion))?;
        for beside in [1, 2] {
            result[format!("at_most_{beside}_beside")] = json!(order.near(beside, &confusion));
        }
    }
    report.finish(&result)
}

/// The class of every image, or why it cannot be read, in order, on all cores.
fn classify_all(model: Model<'_>, data: &Pictures) -> Result<Vec<Result<usize>>> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(data.len());
    let share = data.len().div_ceil(threads);
    let ranges = (0..data.len()).step_by(share).map(|start| start..data.len().min(start + share));
    thread::scope(|scope| {
        let spawned: Vec<_> = ranges.map(|range| scope.spawn(move || classify(model, data, range))).collect();
        let mut classes = Vec::with_capacity(data.len());
        for thread in spawned {
            classes.extend(thread.join().map_err(|_| anyhow!("a thread failed"))??);
        }
        Ok(classes)
    })
}

fn classify(model: Model<'_>, data: &Pictures, range: Range<usize>) -> Result<Vec<Result<usize>>> {
    let mut classifier = Classifier::new(model, Pool::ALONE)?;
    let channels = classifier.channels();
    let mut read = |picture: &Picture<'_>| Ok(classifier.classify(picture)?.class);
    Ok(range.map(|index| data.with(index, channels, &mut read)).collect())
}
