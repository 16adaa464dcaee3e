//! `runtime eval`: the accuracy on a data set.

use crate::evaluate::Evaluation;
use crate::model_file::ModelOption;
use crate::report::{Report, time};
use anyhow::Result;
use files::{Order, data_folder};
use serde_json::json;
use std::path::PathBuf;

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
    /// Print one JSON object with the keys images, correct, accuracy, unreadable, rejected, and with --order at_most_1_beside and
    /// at_most_2_beside.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let file = arguments.model.load()?;
    let model = file.parse()?;
    let evaluation = Evaluation::new(model, &data_folder(arguments.data.as_deref(), DEFAULT)?)?;
    let Evaluation { labels, images, confusion, rejected, unreadable, per_image } = &evaluation;
    unreadable.check(arguments.strict)?;
    let (correct, count, accuracy) = (evaluation.correct(), evaluation.len(), evaluation.accuracy());
    let report = Report::new(arguments.json);
    for (class, (label, images)) in labels.iter().zip(images).enumerate() {
        report.text(&format!("{label}: {} of {images}", confusion[class][class]))?;
    }
    if !unreadable.is_empty() {
        report.text(&format!("\n{}", unreadable.told("unreadable, counted as wrong")))?;
    }
    report.text(&format!(
        "\n{correct} of {count} correct, accuracy {:.2} %, {} per image",
        100.0 * accuracy,
        time(*per_image)
    ))?;
    if model.reject().is_ok() {
        let share = 100.0 * *rejected as f64 / count.max(1) as f64;
        report.text(&format!(
            "{rejected} rejected, {share:.2} %; they count by what they would have been read as"
        ))?;
    }
    let mut result = json!({
        "images": count,
        "correct": correct,
        "accuracy": accuracy,
        "unreadable": unreadable.len(),
        "rejected": rejected,
    });
    if let Some(order) = arguments.order {
        report.text(&order.told(confusion))?;
        for beside in [1, 2] {
            result[format!("at_most_{beside}_beside")] = json!(order.near(beside, confusion));
        }
    }
    report.finish(&result)
}
