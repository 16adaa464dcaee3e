//! The command `trainer`.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use commands::{bench, compare, eval, export, fit};

/// Trains a MobileNetV2 for small pictures, the float network that edge8 turns into int8.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a network.
    Fit(Box<fit::Fit>),
    /// Measure the accuracy of a trained network.
    Eval(eval::Eval),
    /// Compare runs of `fit`.
    Compare(compare::Compare),
    /// Write a trained network in another format.
    Export(export::Export),
    /// Measure the time of a training step of the default network.
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    // `... | head` ends the command, without a word.
    sigpipe::reset();
    let result = match Arguments::parse().command {
        Command::Fit(fit) => fit.run(),
        Command::Eval(eval) => eval.run(),
        Command::Compare(compare) => compare.run(),
        Command::Export(export) => export.run(),
        Command::Bench(bench) => bench.run(),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            // A usage error that clap alone does not see.
            if let Some(usage) = error.downcast_ref::<clap::Error>() {
                usage.exit();
            }
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
