//! The command `trainer`.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let framing = runtime::preprocess::Framing::mnist(32);
    let dir = PathBuf::from(&arguments[2]);
    let data = trainer::data::load_train(&dir, framing)?;
    let recipe = trainer::fit::Recipe {
        architecture: trainer::mobilenet::Architecture::new(0.35, 32, 1, data.classes.clone())?,
        epochs: arguments.get(3).map_or(1, |v| v.parse().unwrap()),
        batch_size: 128,
        learning_rate: arguments.get(4).map_or(3e-3, |v| v.parse().unwrap()),
        weight_decay: 0.02,
        seed: 1,
        augment: std::env::var("NOAUG").is_err(),
    };
    if arguments[1] == "bench" {
        let mut times = trainer::fit::measure_steps(&recipe, &data, 40)?;
        times.sort_by(f64::total_cmp);
        println!("{:.1} ms (best {:.1})", times[20], times[0]);
        return Ok(());
    }
    let stop = AtomicBool::new(false);
    trainer::fit::fit(&recipe, &data, &PathBuf::from("/tmp/edge8/ck.safetensors"), false, &stop, |p| match p {
        trainer::fit::Progress::Epoch { epoch, result } => println!("{epoch} {result:?}"),
        trainer::fit::Progress::Step { step, loss, accuracy, .. } if step % 50 == 0 => println!("{step} {loss} {accuracy}"),
        _ => (),
    })?;
    Ok(())
}
