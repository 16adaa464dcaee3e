//! `trainer eval`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use clap::Args;
use edge8::Framing;
use files::load_test;
use mobilenet::ModelFile;
use trainer::evaluate::{Evaluation, evaluate};
use trainer::network::Network;

/// The test pictures in the repository.
const DEFAULT_DATA: &str = "trainer/data/mnist";

/// Options of `trainer eval`.
#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// A `model.safetensors` of `trainer fit`.
    model: PathBuf,
    /// MNIST's t10k files (.gz or not), or one subfolder of PNG or JPEG pictures for each class [default:
    /// trainer/data/mnist, if it is there].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print one JSON object: images, correct, accuracy, loss, confusion.
    #[arg(long)]
    json: bool,
}

impl Eval {
    /// Runs the command.
    pub(crate) fn run(self) -> Result<ExitCode> {
        let file = ModelFile::load(&self.model)?;
        let network = Network::from_file(&file)?;
        let folder = match self.data {
            Some(folder) => folder,
            None if Path::new(DEFAULT_DATA).is_dir() => DEFAULT_DATA.into(),
            None => bail!("there is no {DEFAULT_DATA} here: pass a folder of test pictures with --data"),
        };
        let framing = Framing { side: file.preprocessing.side, digit: file.preprocessing.digit };
        let data = load_test(&folder, framing)?;
        let classes = &file.architecture.classes;
        ensure!(
            data.classes == *classes,
            "the model knows the classes {classes:?}, found {:?}",
            data.classes
        );
        let everything: Vec<usize> = (0..data.len()).collect();
        let evaluation = evaluate(&network, &data, &everything)?;
        if self.json {
            println!(
                "{}",
                serde_json::json!({
                    "images": evaluation.images,
                    "correct": evaluation.correct,
                    "accuracy": evaluation.accuracy(),
                    "loss": evaluation.loss,
                    "confusion": evaluation.confusion,
                })
            );
        } else {
            print(&evaluation, classes);
        }
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
