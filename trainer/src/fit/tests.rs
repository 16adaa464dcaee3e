//! Whole runs on a few pictures.

use std::path::Path;

use edge8::Framing;

use super::*;
use files::load_train;

/// The first pictures of the calibration slice.
fn data(count: usize, side: u16) -> Dataset {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/calibration");
    let mut data = load_train(&folder, Framing::mnist(side)).unwrap();
    data.labels.truncate(count);
    data.images.truncate(count * data.side * data.side);
    data
}

fn recipe(data: &Dataset, epochs: usize) -> Recipe {
    Recipe {
        architecture: Architecture::new(0.35, data.side, 2, data.classes.clone()).unwrap(),
        epochs,
        batch_size: 16,
        learning_rate: 3e-3,
        weight_decay: 0.01,
        seed: 1,
        augment: true,
    }
}

fn run(recipe: &Recipe, data: &Dataset, folder: &Path, resume: bool, stop_after: Option<usize>) -> Outcome {
    let stop = AtomicBool::new(false);
    let mut steps = 0;
    let report = |progress: Progress<'_>| {
        if matches!(progress, Progress::Step { .. }) {
            steps += 1;
            stop.store(Some(steps) == stop_after, Ordering::Relaxed);
        }
    };
    fit(recipe, data, &folder.join("checkpoint.safetensors"), resume, &stop, report).unwrap()
}

fn finished(outcome: Outcome) -> Finished {
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
    assert_eq!(resumed.network.tensors().unwrap(), whole.network.tensors().unwrap());
    let losses = |finished: &Finished| finished.history.iter().map(|epoch| epoch.loss).collect::<Vec<_>>();
    assert_eq!(losses(&resumed), losses(&whole));
    assert_eq!(resumed.validation, whole.validation);
}

#[test]
fn a_checkpoint_of_other_options_is_refused() {
    let data = data(40, 28);
    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("checkpoint.safetensors");
    let once = recipe(&data, 1);
    finished(run(&once, &data, folder.path(), false, None));
    let other = Recipe { seed: 2, ..once };
    let stop = AtomicBool::new(false);
    let error = fit(&other, &data, &checkpoint, true, &stop, |_| ()).unwrap_err();
    assert!(error.to_string().contains("other options"), "{error}");
}

#[test]
fn a_few_pictures_are_learned_by_heart() {
    let data = data(500, 28);
    let recipe = Recipe { augment: false, batch_size: 32, ..recipe(&data, 60) };
    let folder = tempfile::tempdir().unwrap();
    let finished = finished(run(&recipe, &data, folder.path(), false, None));
    let everything: Vec<usize> = (0..data.len()).collect();
    let accuracy = evaluate(&finished.network, &data, &everything).unwrap().accuracy();
    assert!(accuracy > 0.95, "{accuracy}");
}
