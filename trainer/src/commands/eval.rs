//! `trainer eval`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Args;
use files::{Dataset, Order, Pictures, Set, data_folder};
use mobilenet::{ModelFile, Preprocessing};
use trainer::evaluate::{Evaluation, evaluate};
use trainer::network::Network;
use trainer::plot::mistakes_png;

/// The test pictures in the repository.
const DEFAULT_DATA: &str = "trainer/data/mnist";

/// Options of `trainer eval`.
#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// A `model.safetensors` of `trainer fit`.
    model: PathBuf,
    /// MNIST's t10k files (.gz or not), or one subfolder of pictures for each class [default:
    /// trainer/data/mnist, if it is there].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Also tell how many answers are next to the right one, of classes that follow one another.
    #[arg(long, value_name = "line|cycle")]
    order: Option<Order>,
    /// Also write a sheet of the worst mistakes, the pictures as the network saw them.
    #[arg(long, value_name = "FILE.png")]
    mistakes: Option<PathBuf>,
    /// End at pictures that cannot be read, instead of leaving them out.
    #[arg(long)]
    strict: bool,
    /// Print one JSON object: images, correct, accuracy, loss, confusion, unreadable, and with --order at_most_1_beside and
    /// at_most_2_beside.
    #[arg(long)]
    json: bool,
}

impl Eval {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<ExitCode> {
        let file = ModelFile::load(&self.model)?;
        let usual = Preprocessing::new(file.preprocessing.preparation);
        ensure!(
            file.preprocessing == usual,
            "{} reads {}, which is not what trainer makes: {usual}",
            self.model.display(),
            file.preprocessing
        );
        let network = Network::from_file(&file)?;
        let folder = data_folder(self.data.as_deref(), DEFAULT_DATA)?;
        let classes = &file.architecture.classes;
        let pictures = Pictures::open_for(&folder, Set::Test, classes)?;
        let numbers = (0..classes.len()).map(|number| number.to_string());
        ensure!(
            !pictures.are_numbered() || numbers.eq(classes.iter().cloned()),
            "the model knows the classes {classes:?}, the pictures in {} are digits",
            folder.display()
        );
        let (data, left_out) = Dataset::prepare(&pictures, file.preprocessing.preparation)?;
        left_out.check(self.strict)?;
        let everything: Vec<usize> = (0..data.len()).collect();
        let evaluation = evaluate(&network, &data, &everything)?;
        if let Some(sheet) = &self.mistakes {
            files::write(sheet, &mistakes_png(&evaluation, &data)?)?;
        }
        if self.json {
            println!(
                "{}",
                serde_json::json!({
                    "images": evaluation.images,
                    "correct": evaluation.correct,
                    "accuracy": evaluation.accuracy(),
                    "loss": evaluation.loss,
                    "confusion": evaluation.confusion,
                    "at_most_1_beside": self.order.map(|order| order.near(1, &evaluation.confusion)),
                    "at_most_2_beside": self.order.map(|order| order.near(2, &evaluation.confusion)),
                    "unreadable": left_out.len(),
                })
            );
        } else {
            print(&evaluation, classes);
            if let Some(order) = self.order {
                println!("{}", order.told(&evaluation.confusion));
            }
        }
        left_out.report();
        Ok(ExitCode::SUCCESS)
    }
}

fn print(evaluation: &Evaluation, classes: &[String]) {
    let Evaluation { images, correct, loss, .. } = evaluation;
    println!("{correct} of {images} right: {:.2} %, loss {loss:.4}", 100.0 * evaluation.accuracy());
    let mut mistakes: Vec<(usize, &str, &str)> = Vec::new();
    for (class, row) in classes.iter().zip(&evaluation.confusion) {
        let wrong = classes.iter().zip(row).filter(|(answer, count)| *answer != class && **count > 0);
        mistakes.extend(wrong.map(|(answer, &count)| (count, class.as_str(), answer.as_str())));
    }
    mistakes.sort_by_key(|&(count, ..)| std::cmp::Reverse(count));
    for (count, class, answer) in mistakes.iter().take(10) {
        println!("  {class} taken for {answer}: {count}");
    }
}
