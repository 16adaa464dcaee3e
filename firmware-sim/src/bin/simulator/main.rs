//! The command `firmware-sim`: the device app on a simulated display.

mod frames;
mod layers;
mod occupancy;
mod pc;
mod replay;
mod screen;
#[cfg(feature = "sdl")]
mod window;

use anyhow::{Context, Result, bail};
use clap::Parser;
use files::ModelImage;
use replay::Replay;
use screen::Screen;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Run the device app on a simulated display: draw a recorded script of strokes, write what the display shows.
/// Built with `--features sdl` and run without a script it opens a window to draw in
#[derive(Parser)]
#[command(name = "firmware-sim", version)]
struct Arguments {
    /// Strokes to draw, see firmware-sim/strokes
    #[arg(long, value_name = "FILE", required = cfg!(not(feature = "sdl")), num_args = 1..)]
    script: Vec<PathBuf>,
    /// Folder for frame_NNNN.png and animation.gif
    #[arg(long, value_name = "DIR", requires = "script")]
    out: Option<PathBuf>,
    /// Show what each layer of the network made of the last sheet, too; saturated values stand out
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
    if arguments.script.is_empty() {
        return window::open(image, arguments.screen);
    }
    let mut scripts = Vec::new();
    for path in &arguments.script {
        let name = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
        if let Some(line) = firmware_sim::script::check(&text) {
            bail!(
                "{name}, line {line}: expected `x,y x,y ...` with numbers from 0 to 100, `clear` or `page`"
            );
        }
        scripts.push((path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), text));
    }
    let replay = Replay { image, screen: arguments.screen, layers: arguments.layers };
    replay.all(&scripts, arguments.out.as_deref())
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
