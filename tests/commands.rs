//! The commands as a user types them: built once, run as processes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The repository's root folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The shipped model image.
pub fn shipped() -> PathBuf {
    root().join("runtime/models/mnist.edge8")
}

/// The smallest shipped model image.
pub fn smallest() -> PathBuf {
    root().join("runtime/models/mnist_small.edge8")
}

/// The folder of this profile's programs.
fn profile() -> PathBuf {
    // target/PROFILE/deps/this-test
    let test = std::env::current_exe().expect("a test knows its own path");
    test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps").to_path_buf()
}

/// A folder for what tests build, as `CARGO_TARGET_TMPDIR`.
pub fn scratch() -> PathBuf {
    profile().with_file_name("tmp")
}

/// Builds the commands of this profile and gives the folder that they lie in.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let profile = profile();
        let mut build = Command::new(env!("CARGO"));
        // With the whole workspace's features, so that what `cargo test --workspace` has built is not built again.
        build.current_dir(root()).args(["build", "--quiet", "--workspace", "--bins"]);
        build.arg("--target-dir").arg(profile.parent().expect("the target folder"));
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo starts").success(), "the commands do not build");
        profile
    })
}

/// What a command did.
#[derive(Debug)]
pub struct Run {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The JSON object on the last line of standard output.
    pub fn json(&self) -> serde_json::Value {
        let last = self.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error} in the last line of {self:?}"))
    }

    /// Asserts that the command failed as a user should see it: this exit code, one `error:` line, no backtrace.
    pub fn assert_error(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let errors: Vec<&str> = self.stderr.lines().filter(|line| line.starts_with("error:")).collect();
        assert_eq!(errors.len(), 1, "one line says what is wrong: {self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "the error should name \"{word}\": {self:?}");
        }
        assert!(!self.stderr.contains("panicked") && !self.stderr.contains("RUST_BACKTRACE"), "{self:?}");
    }
}

/// Runs a command of the repository in its root folder.
pub fn run(name: &str, arguments: &[&str]) -> Run {
    run_in(&root(), name, arguments)
}

/// Runs a command of the repository in some folder.
pub fn run_in(place: &Path, name: &str, arguments: &[&str]) -> Run {
    let mut command = Command::new(folder().join(name));
    Run::of(command.current_dir(place).args(arguments).output().expect("the command was built"))
}
