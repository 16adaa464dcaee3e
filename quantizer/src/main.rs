//! The command `quantizer`.

mod command;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// From a float network to an int8 model image.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Calibrate(command::calibrate::Arguments),
    Check(command::check::Arguments),
    Compare(command::compare::Arguments),
    Export(command::export::Arguments),
    Import(command::import::Arguments),
    Plan(command::plan::Arguments),
}

fn main() -> ExitCode {
    // `... | head` ends the command, without a word.
    sigpipe::reset();
    let result = match Arguments::parse().command {
        Command::Calibrate(arguments) => command::calibrate::run(&arguments).map(|()| true),
        Command::Check(arguments) => command::check::run(&arguments),
        Command::Compare(arguments) => command::compare::run(&arguments),
        Command::Export(arguments) => command::export::run(&arguments).map(|()| true),
        Command::Import(arguments) => command::import::run(&arguments).map(|()| true),
        Command::Plan(arguments) => command::plan::run(&arguments).map(|()| true),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // A usage error that only the files show.
            if let Some(usage) = error.downcast_ref::<clap::Error>() {
                usage.exit();
            }
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
