//! Draws the sample pictures of this repository: `cargo run -p runtime --example draw_pictures -- FOLDER`.
//!
//! In FOLDER, which is the repository's root, twenty pictures unlike MNIST go to `tests/pictures` and two for the
//! READMEs to `runtime/assets`. The first character of a file name is the digit. Every digit has two handwritings
//! ([`digits`]), written by a pen with some pressure on papers with some light ([`canvas`]). The list is in
//! [`pictures`]. All is computed from fixed seeds: the same files come out each time.

mod canvas;
mod digits;
mod pictures;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(root) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: draw_pictures FOLDER");
        return ExitCode::from(2);
    };
    let lists =
        [("tests/pictures", pictures::unlike_mnist()), ("runtime/assets", pictures::for_the_readme())];
    for (folder, list) in lists {
        if let Err(error) = draw(&root.join(folder), &list) {
            eprintln!("error: {folder}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn draw(folder: &Path, list: &[pictures::Picture]) -> image::ImageResult<()> {
    std::fs::create_dir_all(folder)?;
    list.iter().try_for_each(|picture| picture.draw().save(folder.join(picture.name)))
}
