//! What a run leaves behind.

use std::path::Path;

use anyhow::Result;
use files::Dataset;
use mobilenet::{Confidence, ModelFile};
use trainer::fit::{Finished, Recipe};
use trainer::plot::{confusion_png, curves_png, mistakes_png};

/// Writes the network, what became of it by epochs, and pictures of both into the folder `out`, and tells how good it is.
pub(super) fn write(
    out: &Path,
    recipe: &Recipe,
    data: &Dataset,
    name: &str,
    finished: &Finished,
) -> Result<()> {
    let validation = &finished.validation;
    let model = ModelFile {
        architecture: recipe.architecture.clone(),
        preprocessing: recipe.preprocessing,
        provenance: serde_json::json!({
            "command": commands(recipe, &finished.ended),
            "init_sha256": recipe.init.as_ref().map(|init| &init.sha256),
            "dataset": name,
            "dataset_sha256": data.sha256,
            "train_images": finished.train_images,
            "validation_images": validation.images,
            "epochs": recipe.epochs,
            "seed": recipe.seed,
            "validation_accuracy": validation.accuracy(),
        }),
        confidence: Some(Confidence::new(validation.confidence.clone())),
        tensors: finished.network.tensors(),
    };
    let path = |name: &str| out.join(name);
    let history = serde_json::json!({ "recipe": recipe, "epochs": finished.history });
    files::write(&path("history.json"), format!("{history:#}\n").as_bytes())?;
    files::write(&path("curves.png"), &curves_png(&finished.history)?)?;
    files::write(&path("confusion.png"), &confusion_png(&validation.confusion, &data.classes)?)?;
    files::write(&path("mistakes.png"), &mistakes_png(validation, data)?)?;
    model.save(&path("model.safetensors"))?;
    let (correct, images) = (validation.correct, validation.images);
    eprintln!("validation: {correct} of {images} right, {:.2} %", 100.0 * validation.accuracy());
    if let Some(advice) = advice(finished) {
        eprintln!("warning: {advice}");
    }
    if let Some(order) = recipe.order {
        eprintln!("{}", order.told(&validation.confusion));
    }
    eprintln!(
        "wrote {}, history.json, curves.png, confusion.png, mistakes.png",
        path("model.safetensors").display()
    );
    Ok(())
}

/// What to do about a run that has learnt nothing.
fn advice(finished: &Finished) -> Option<String> {
    let Finished { validation, history, .. } = finished;
    if !validation.at_chance() {
        return None;
    }
    let trained = history.last().map_or(0.0, |epoch| epoch.accuracy);
    let guessed = 1.0 / validation.confusion.len() as f64;
    let why = if trained > 2.0 * validation.accuracy().max(guessed) {
        format!(
            "of the training pictures, changed at random, it knows {:.0} %: there are too few of them, or the classes do not \
             show in them; add pictures, and look whether they lie in the right folders",
            100.0 * trained
        )
    } else {
        "the training pictures were not learnt either: look whether they lie in the right folders, and whether they can be told \
         apart at this --input-size; then try more --epochs, another --lr or --alpha"
            .to_owned()
    };
    Some(format!("this is no better than guessing; {why}"))
}

/// What to type for the same weights, several commands if the run was continued after its end; the data is named
/// apart, by its hash.
fn commands(recipe: &Recipe, ended: &[usize]) -> String {
    let parts = ended.iter().chain([&recipe.epochs]).enumerate().map(|(index, &epochs)| {
        let resume = if index > 0 { " --resume" } else { "" };
        Recipe { epochs, ..recipe.clone() }.command() + resume
    });
    parts.collect::<Vec<_>>().join(" && ")
}
