//! The command `firmware-sim`: the device app on a simulated display.

mod frames;
mod layers;
mod occupancy;
mod pc;
mod replay;
mod screen;
#[cfg(feature = "sdl")]
mod window;

use anyhow::{Context, Result, bail, ensure};
use clap::{ArgGroup, Parser};
use files::{ModelImage, OwnedPicture};
use replay::{Replay, Source};
use screen::Screen;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Run the device app on a simulated display: draw recorded scripts of strokes or read pictures, write what the display
/// shows. Built with `--features sdl` and run without either it opens a window to draw in
#[derive(Parser)]
#[command(name = "firmware-sim", version)]
#[command(group(ArgGroup::new("read").args(["script", "picture"]).multiple(true).required(cfg!(not(feature = "sdl")))))]
struct Arguments {
    /// Strokes to draw, see firmware-sim/strokes
    #[arg(long, value_name = "FILE", num_args = 1..)]
    script: Vec<PathBuf>,
    /// PNG or JPEG files to read in the place of a sheet
    #[arg(long, value_name = "FILE", num_args = 1..)]
    picture: Vec<PathBuf>,
    /// Folder for frame_NNNN.png and animation.gif
    #[arg(long, value_name = "DIR", requires = "read")]
    out: Option<PathBuf>,
    /// Show what each layer of the network made of the last sheet or picture, too; saturated values stand out
    #[arg(long, requires = "out")]
    layers: bool,
    /// The display
    #[arg(long, value_enum, default_value_t = Screen::Colour240x240)]
    screen: Screen,
    /// Model image (.edge8) [default: the one inside]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

/// The model that ships inside.
const SHIPPED: &[u8] = include_bytes!("../../../../runtime/models/mnist.edge8");

fn main() -> ExitCode {
    sigpipe::reset();
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let image = match &arguments.model {
        Some(path) => read_model(path, arguments.screen)?,
        None => ModelImage::new("the model inside".into(), SHIPPED)?,
    };
    let image = image.bytes();
    #[cfg(feature = "sdl")]
    if arguments.script.is_empty() && arguments.picture.is_empty() {
        return window::open(image, arguments.screen);
    }
    let replay = Replay { image, screen: arguments.screen, layers: arguments.layers };
    replay.all(&sources(arguments, image)?, arguments.out.as_deref())
}

/// What is to be read, with its name, in the order of the scripts and the pictures.
fn sources(arguments: &Arguments, image: &[u8]) -> Result<Vec<(String, Source)>> {
    let channels = pc::model(image)?.recipe()?.input_shape().channels;
    let name = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut sources = Vec::new();
    for path in &arguments.script {
        sources.push((name(path), Source::Script(read_script(path)?)));
    }
    for path in &arguments.picture {
        sources.push((name(path), Source::Picture(OwnedPicture::read(path, channels.into())?)));
    }
    if arguments.out.is_some() {
        check_names(&sources)?;
    }
    Ok(sources)
}

/// Each has a folder of its own.
fn check_names(sources: &[(String, Source)]) -> Result<()> {
    for (index, (name, _)) in sources.iter().enumerate() {
        ensure!(
            sources[..index].iter().all(|(other, _)| other != name),
            "two files are called {name}: expected different names, for each has a folder of this name, read them one by one"
        );
    }
    Ok(())
}

/// Reads a script, and looks whether it is one.
fn read_script(path: &Path) -> Result<String> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    if let Some(line) = firmware_sim::script::check(&text) {
        bail!("{name}, line {line}: expected `x,y x,y ...` with numbers from 0 to 100, `clear` or `page`");
    }
    Ok(text)
}

/// Reads a model image, and looks whether the app can use it.
fn read_model(path: &Path, screen: Screen) -> Result<ModelImage> {
    let image = ModelImage::open(path)?;
    let model = image.parse()?;
    pc::Memory::new(&model)
        .app(model, screen.size())
        .with_context(|| format!("cannot use {} as the model", path.display()))?;
    Ok(image)
}
