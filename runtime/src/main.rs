//! The command `runtime`: reads a digit in a picture, and shows what a model image is and does.

mod bench;
mod classifier;
mod compare;
mod eval;
mod evaluate;
mod infer;
mod info;
mod memory_map;
mod model_file;
mod report;
mod run;
mod threads;

use clap::{Parser, Subcommand};
use std::io::{self, Write};
use std::process::ExitCode;

/// Runs int8 vision networks: a digit in a picture, the accuracy on a data set, the network itself.
#[derive(Parser)]
#[command(name = "runtime", version, subcommand_required = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read the digit in a PNG, JPEG, WebP or BMP picture.
    Run(run::Arguments),
    /// Measure the accuracy on a labelled data set.
    Eval(eval::Arguments),
    /// Compare models: accuracy, multiplications, memory.
    Compare(compare::Arguments),
    /// Show the operators, the sizes and what lies where in the arena.
    Info(info::Arguments),
    /// Time the inference alone.
    Bench(bench::Arguments),
    /// Run raw int8 tensors, for tests and other tools.
    Infer(infer::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Info(arguments) => info::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Infer(arguments) => infer::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has seen enough of it, as in `runtime info | head`.
        Err(error) if report::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be listening; the exit code still tells.
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
