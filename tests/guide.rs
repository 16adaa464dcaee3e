//! The guide from pictures to a board: each of its commands, typed on a small folder.

use ::image::{Rgb, RgbImage};
use fastrand::Rng;
use std::path::Path;
use tests::commands::{root, run_in};
use tests::{device, tools};

const TARGET: &str = "thumbv7em-none-eabihf";
/// The line that runs the program for a board; the test builds it in a folder of its own.
const BOARD: &str =
    "(cd firmware-sim/device && EDGE8_MODEL=../../mine.edge8 cargo run --release --bin minimal)";
const CLASSES: [&str; 3] = ["disc", "frame", "stripes"];

/// The shell lines of the guide.
fn commands() -> Vec<String> {
    let guide =
        std::fs::read_to_string(root().join("trainer/your-pictures.md")).expect("part of the repository");
    let mut in_shell = false;
    let mut lines = Vec::new();
    for line in guide.lines() {
        match line {
            "```sh" => in_shell = true,
            "```" => in_shell = false,
            line if in_shell => lines.push(line.to_owned()),
            _ => {}
        }
    }
    lines
}

/// A shape in some colours.
fn picture(class: &str, rng: &mut Rng) -> RgbImage {
    let colour = |rng: &mut Rng, from: u8| Rgb([(); 3].map(|()| rng.u8(from..from + 80)));
    let (paper, ink) = (colour(rng, 160), colour(rng, 0));
    let (x, y) = (rng.i32(9..15), rng.i32(9..15));
    RgbImage::from_fn(24, 24, |column, row| {
        let (across, down) = (column as i32 - x, row as i32 - y);
        let is_ink = match class {
            "disc" => across * across + down * down < 49,
            "frame" => (5..8).contains(&across.abs().max(down.abs())),
            _ => across.rem_euclid(6) < 3,
        };
        if is_ink { ink } else { paper }
    })
}

fn pictures(folder: &Path, count: usize) {
    let mut rng = Rng::with_seed(count as u64);
    for class in CLASSES {
        std::fs::create_dir_all(folder.join(class)).expect("made");
        for index in 0..count {
            let name = format!("{index}.png");
            picture(class, &mut rng).save(folder.join(class).join(name)).expect("written");
        }
    }
}

#[test]
fn every_command_of_the_guide_works() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path();
    pictures(&place.join("pictures"), 20);
    pictures(&place.join("test-pictures"), 12);
    picture("stripes", &mut Rng::with_seed(1)).save(place.join("photo.jpg")).expect("written");
    let mut typed = 0;
    for line in commands() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["cargo", "run", "--release", "-p", name, "--", ref arguments @ ..] => {
                // Shorter than by default.
                let quick: &[&str] =
                    if arguments[0] == "fit" { &["--epochs", "8", "--alpha", "0.2"] } else { &[] };
                let done = run_in(place, name, &[arguments, quick].concat());
                assert_eq!(done.code, Some(0), "{line}: {done:?}");
                match arguments[0] {
                    "run" => assert!(done.stdout.starts_with("stripes\n"), "{done:?}"),
                    "eval" if name == "runtime" => assert!(done.stdout.contains("of 36 correct"), "{done:?}"),
                    _ => {}
                }
            }
            ["rustup", "target", "add", target] => assert_eq!(target, TARGET),
            _ => assert_eq!(line, BOARD),
        }
        typed += 1;
    }
    assert_eq!(typed, 9, "as many commands as the guide has");
    if tools::have_target(TARGET) && device::available(TARGET) {
        let program =
            device::minimal(TARGET, Path::new(env!("CARGO_TARGET_TMPDIR")), &place.join("mine.edge8"));
        let run = device::run("mps2-an386", &program, None);
        // A class for each input; the debugger's console is the emulator's standard error.
        let classes = String::from_utf8_lossy(&run.stderr).lines().map(str::to_owned).collect::<Vec<_>>();
        assert!(classes.len() == 3 && classes.iter().all(|class| class.as_str() < "0003"), "{classes:?}");
    }
}
