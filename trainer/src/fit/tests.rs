//! Whole runs on a few pictures.

use std::path::Path;

use edge8::{Framing, Preparation};

use super::*;
use files::load_train;
use mobilenet::{Architecture, ModelFile, Preprocessing};

/// The first pictures of the calibration slice.
pub(super) fn data(count: usize, side: u16) -> Dataset {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/calibration");
    let mut data = load_train(&folder, Preparation::Digit(Framing::mnist(side))).unwrap();
    data.labels.truncate(count);
    data.groups.truncate(count);
    data.images.truncate(count * usize::from(side).pow(2));
    data
}

pub(super) fn recipe(data: &Dataset, epochs: usize) -> Recipe {
    Recipe {
        preprocessing: Preprocessing::new(data.preparation),
        architecture: Architecture::new(0.35, [data.shape()[0]; 2], 2, data.classes.clone()).unwrap(),
        init: None,
        teacher: None,
        epochs,
        passes: 1,
        patience: None,
        batch_size: 16,
        learning_rate: 3e-3,
        weight_decay: 0.01,
        seed: 1,
        augment: true,
        recolour: false,
        dropout: 0.5,
        smoothing: 0.0,
        outliers: 0.0,
        balance: false,
        groups: false,
        order: None,
    }
}

fn run(recipe: &Recipe, data: &Dataset, folder: &Path, resume: bool, stop_after: Option<usize>) -> Outcome {
    run_with(Others::default(), recipe, data, folder, resume, stop_after)
}

pub(super) fn run_with(
    others: Others<'_>,
    recipe: &Recipe,
    data: &Dataset,
    folder: &Path,
    resume: bool,
    stop_after: Option<usize>,
) -> Outcome {
    let stop = AtomicBool::new(false);
    let mut steps = 0;
    let report = |progress: Progress<'_>| {
        if matches!(progress, Progress::Step { .. }) {
            steps += 1;
            stop.store(Some(steps) == stop_after, Ordering::Relaxed);
        }
    };
    fit(recipe, others, data, &folder.join("checkpoint.safetensors"), resume, &stop, report).unwrap()
}

pub(super) fn finished(outcome: Outcome) -> Finished {
    match outcome {
        Outcome::Finished(finished) => *finished,
        Outcome::Interrupted { .. } => panic!("interrupted"),
    }
}

#[test]
fn stopping_and_resuming_gives_the_very_same_weights() {
    let data = data(100, 28);
    let recipe = recipe(&data, 2);
    let folder = tempfile::tempdir().unwrap();
    let whole = finished(run(&recipe, &data, folder.path(), false, None));
    // In the middle of the first epoch, then right before the end of the second one's first step.
    assert!(matches!(run(&recipe, &data, folder.path(), false, Some(2)), Outcome::Interrupted { .. }));
    assert!(matches!(run(&recipe, &data, folder.path(), true, Some(4)), Outcome::Interrupted { .. }));
    let resumed = finished(run(&recipe, &data, folder.path(), true, None));
    assert_eq!(resumed.network.tensors(), whole.network.tensors());
    let losses = |finished: &Finished| finished.history.iter().map(|epoch| epoch.loss).collect::<Vec<_>>();
    assert_eq!(losses(&resumed), losses(&whole));
    assert_eq!(resumed.validation, whole.validation);
}

#[test]
fn a_teacher_and_outliers_resume_like_everything_else_and_change_what_is_learnt() {
    let data = data(100, 28);
    let folder = tempfile::tempdir().unwrap();
    let plain = recipe(&data, 1);
    let teacher = file(&plain, &finished(run(&plain, &data, folder.path(), false, None)));
    let named = Teacher { file: "teacher".into(), sha256: String::new(), temperature: 3.0, weight: 0.6 };
    let taught = Recipe { teacher: Some(named), outliers: 0.25, seed: 2, ..plain.clone() };
    let go = |resume: bool, stop_after: usize| {
        let (stop, mut steps) = (AtomicBool::new(false), 0);
        let report = |_: Progress<'_>| {
            steps += 1;
            stop.store(steps == stop_after, Ordering::Relaxed);
        };
        let others = Others { init: None, teacher: Some(&teacher), ..Others::default() };
        let checkpoint = folder.path().join("checkpoint.safetensors");
        fit(&taught, others, &data, &checkpoint, resume, &stop, report).unwrap()
    };
    let whole = finished(go(false, usize::MAX));
    assert!(matches!(go(false, 3), Outcome::Interrupted { .. }));
    assert_eq!(finished(go(true, usize::MAX)).network.tensors(), whole.network.tensors());
    let alone = Recipe { teacher: None, ..taught.clone() };
    let without_outliers = Recipe { outliers: 0.0, ..alone.clone() };
    let [alone, without_outliers] = [alone, without_outliers]
        .map(|recipe| finished(run(&recipe, &data, folder.path(), false, None)).network.tensors());
    assert!(whole.network.tensors() != alone && alone != without_outliers);
}

#[test]
fn a_teacher_of_other_inputs_or_classes_is_refused() {
    let data = data(40, 28);
    let named = Teacher { file: "large".into(), sha256: String::new(), temperature: 3.0, weight: 0.6 };
    let recipe = Recipe { teacher: Some(named), ..recipe(&data, 1) };
    let teacher = ModelFile::untrained(recipe.architecture.clone(), recipe.preprocessing, 1);
    assert!(recipe.teacher(Some(&teacher)).is_ok());
    let refusal = |teacher: &ModelFile| format!("{:#}", recipe.teacher(Some(teacher)).expect_err("refused"));
    let other = Preprocessing::new(Preparation::Digit(Framing::mnist(32)));
    let error = refusal(&ModelFile { preprocessing: other, ..teacher.clone() });
    assert!(error.starts_with("large reads framed pictures") && error.contains("same --recipe"), "{error}");
    let mut classes = teacher.clone();
    classes.architecture.classes[3] = "three".into();
    assert!(refusal(&classes).contains("\"three\""), "{}", refusal(&classes));
}

#[test]
fn a_network_without_a_hidden_layer_is_trained() {
    let data = data(40, 28);
    let architecture = recipe(&data, 1).architecture.with_hidden(None).unwrap();
    let recipe = Recipe { architecture, ..recipe(&data, 1) };
    let folder = tempfile::tempdir().unwrap();
    let finished = finished(run(&recipe, &data, folder.path(), false, None));
    let tensors = finished.network.tensors();
    assert_eq!(tensors["dense.weight"].shape, [1280, 10]);
    assert!(tensors["dense.bias"].values.iter().any(|&value| value != 0.0));
    assert!(!tensors.contains_key("dense1.weight"));
}

#[test]
fn a_checkpoint_of_other_options_is_refused() {
    let data = data(40, 28);
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("checkpoint.safetensors");
    let once = recipe(&data, 1);
    finished(run(&once, &data, folder.path(), false, None));
    let other = Recipe { seed: 2, ..once.clone() };
    let stop = AtomicBool::new(false);
    let refusal = |recipe: &Recipe, data: &Dataset| {
        format!("{:#}", fit(recipe, Others::default(), data, &checkpoint, true, &stop, |_| ()).unwrap_err())
    };
    let error = refusal(&other, &data);
    assert!(
        error.contains("checkpoint.safetensors: it was made with --seed 1, but given is --seed 2:"),
        "{error}"
    );
    let error = refusal(&once, &Dataset { sha256: "0".into(), ..data.clone() });
    assert!(error.contains("other pictures"), "{error}");
    let error = refusal(&Recipe { weight_decay: 0.5, ..once.clone() }, &data);
    assert!(error.contains("another version"), "{error}");
}

#[test]
fn a_broken_checkpoint_is_named() {
    let data = data(40, 28);
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("checkpoint.safetensors");
    let recipe = recipe(&data, 1);
    finished(run(&recipe, &data, folder.path(), false, None));
    let whole = std::fs::read(&checkpoint).unwrap();
    let stop = AtomicBool::new(false);
    for length in [0, 7, 20, whole.len() - 1] {
        std::fs::write(&checkpoint, &whole[..length]).unwrap();
        let error = format!(
            "{:#}",
            fit(&recipe, Others::default(), &data, &checkpoint, true, &stop, |_| ()).unwrap_err()
        );
        assert!(error.contains(&format!("checkpoint.safetensors ({length} bytes) is no whole")), "{error}");
        assert!(error.contains("--overwrite"), "{error}");
    }
}

#[test]
fn a_run_goes_on_for_more_epochs_after_its_end() {
    let data = data(100, 28);
    let [short, long] = [1, 3].map(|epochs| recipe(&data, epochs));
    let folder = tempfile::tempdir().unwrap();
    let first = finished(run(&short, &data, folder.path(), false, None));
    // Interrupted, the longer run is one that has not ended.
    assert!(matches!(run(&long, &data, folder.path(), true, Some(7)), Outcome::Interrupted { .. }));
    let stop = AtomicBool::new(false);
    let checkpoint = folder.path().join("checkpoint.safetensors");
    let longer = Recipe { epochs: 4, ..long.clone() };
    let error = format!(
        "{:#}",
        fit(&longer, Others::default(), &data, &checkpoint, true, &stop, |_| ()).unwrap_err()
    );
    assert!(error.contains("made with --epochs 3, but given is --epochs 4"), "{error}");
    let last = finished(run(&long, &data, folder.path(), true, None));
    assert_eq!((last.history.len(), last.ended), (3, vec![1]));
    // The seconds went through a file.
    let seconds = last.history[0].seconds;
    assert_eq!(last.history[0], Epoch { seconds, ..first.history[0].clone() });
    let rates: Vec<f64> = last.history.iter().map(|epoch| epoch.learning_rate).collect();
    assert!(rates[0] < rates[1] && rates[1] > rates[2], "{rates:?}");
    assert_ne!(last.network.tensors(), first.network.tensors());
}

/// What a run leaves behind, as another one begins with it.
fn file(recipe: &Recipe, finished: &Finished) -> ModelFile {
    ModelFile {
        architecture: recipe.architecture.clone(),
        preprocessing: recipe.preprocessing,
        provenance: serde_json::Value::Null,
        confidence: None,
        tensors: finished.network.tensors(),
    }
}

#[test]
fn frozen_layers_stay_and_the_others_learn() {
    let data = data(60, 28);
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("checkpoint.safetensors");
    let once = recipe(&data, 1);
    let before = file(&once, &finished(run(&once, &data, folder.path(), false, None)));
    let frozen = "blocks.3.project.";
    let learning = "blocks.4.expand.";
    for (freeze, learns) in [(0, vec![frozen, learning, "last."]), (4, vec![learning, "last."]), (18, vec![])]
    {
        let init = Some(Init { file: "before".into(), sha256: String::new(), freeze, keep: 0.0 });
        let recipe = Recipe { init, seed: 2, ..once.clone() };
        let run = |resume, stop_after| {
            let (stop, mut steps) = (AtomicBool::new(false), 0);
            let report = |_: Progress<'_>| {
                steps += 1;
                stop.store(steps == stop_after, Ordering::Relaxed);
            };
            fit(
                &recipe,
                Others { init: Some(&before), ..Others::default() },
                &data,
                &checkpoint,
                resume,
                &stop,
                report,
            )
            .unwrap()
        };
        let whole = finished(run(false, 0));
        assert!(matches!(run(false, 1), Outcome::Interrupted { .. }));
        let after = finished(run(true, 0)).network.tensors();
        assert_eq!(after, whole.network.tensors(), "resumed");
        for part in [frozen, learning, "last."] {
            for kind in ["weight", "gamma", "mean", "variance"] {
                let name = format!("{part}{kind}");
                let changed = after[&name] != before.tensors[&name];
                assert_eq!(changed, learns.contains(&part), "{name} with {freeze} frozen");
            }
        }
        assert_ne!(after["dense2.weight"], before.tensors["dense2.weight"]);
    }
    let init = Init { file: "before".into(), sha256: String::new(), freeze: 19, keep: 0.0 };
    let error = Recipe { init: Some(init), ..once }.check().unwrap_err().to_string();
    assert!(error.contains("19 layers to freeze, expected at most 18"), "{error}");
}

#[test]
fn a_share_of_the_network_before_is_kept() {
    let data = data(60, 28);
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("checkpoint.safetensors");
    let once = recipe(&data, 1);
    let before = file(&once, &finished(run(&once, &data, folder.path(), false, None)));
    let tuned = |keep| {
        let init = Some(Init { file: "before".into(), sha256: String::new(), freeze: 2, keep });
        let recipe = Recipe { init, ..once.clone() };
        let stop = AtomicBool::new(false);
        let done = fit(
            &recipe,
            Others { init: Some(&before), ..Others::default() },
            &data,
            &checkpoint,
            false,
            &stop,
            |_| (),
        )
        .unwrap();
        finished(done).network.tensors()
    };
    let [new, mixed] = [0.0, 0.25].map(tuned);
    for name in ["blocks.1.expand.weight", "blocks.9.depthwise.gamma", "dense2.weight"] {
        let old = &before.tensors[name].values;
        let expected = old.iter().zip(&new[name].values).map(|(old, new)| 0.25 * old + 0.75 * new);
        for (found, expected) in mixed[name].values.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{name}: {found} {expected}");
        }
    }
    assert_ne!(new["blocks.9.depthwise.gamma"], before.tensors["blocks.9.depthwise.gamma"]);
    assert_eq!(mixed["stem.mean"], before.tensors["stem.mean"], "frozen");
}

#[test]
fn with_patience_the_best_epoch_is_kept() {
    let data = data(60, 28);
    let folder = tempfile::tempdir().unwrap();
    // So high a rate that the loss goes up and down.
    let recipe = Recipe { patience: Some(2), learning_rate: 0.3, ..recipe(&data, 30) };
    let done = finished(run(&recipe, &data, folder.path(), false, None));
    let losses: Vec<f64> = done.history.iter().map(|epoch| epoch.validation_loss).collect();
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(losses.len() < 30 && losses[losses.len() - 3] == least, "{losses:?}");
    assert!((done.validation.loss - least).abs() < 1e-9);
    let again = finished(run(&recipe, &data, folder.path(), true, None));
    assert_eq!(again.network.tensors(), done.network.tensors());
}

#[test]
fn pictures_that_cannot_be_split_are_refused() {
    let stop = AtomicBool::new(false);
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("new/checkpoint.safetensors");
    let refusal = |data: &Dataset| {
        let recipe = Recipe { batch_size: 2, ..recipe(data, 1) };
        format!("{:#}", fit(&recipe, Others::default(), data, &checkpoint, false, &stop, |_| ()).unwrap_err())
    };
    // 5, 0, 4, 1, 9, 2: six classes of one.
    let error = refusal(&data(6, 28));
    assert!(error.contains("6 pictures cannot be split"), "{error}");
    let error = refusal(&data(1, 28));
    assert!(error.contains("1 training pictures are not enough for one batch of 2"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    // 5, 0, 4, 1, 9, 2, 1, 3, 1: one picture of a 1 validates.
    let few = data(9, 28);
    let recipe = Recipe { batch_size: 4, ..recipe(&few, 1) };
    let done = finished(run(&recipe, &few, folder.path(), false, None));
    assert_eq!((done.train_images, done.validation.images), (8, 1));
}

#[test]
fn a_few_pictures_are_learned_by_heart() {
    let data = data(500, 28);
    let recipe = Recipe { augment: false, dropout: 0.0, batch_size: 32, ..recipe(&data, 60) };
    let folder = tempfile::tempdir().unwrap();
    let finished = finished(run(&recipe, &data, folder.path(), false, None));
    let everything: Vec<usize> = (0..data.len()).collect();
    let accuracy = evaluate(&finished.network, &data, &everything).unwrap().accuracy();
    assert!(accuracy > 0.95, "{accuracy}");
}
