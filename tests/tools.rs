//! What a test needs and a machine may lack.

use std::process::Command;

/// Whether `program --version` runs. Where it is missing the test that asks says so and is skipped; with the variable
/// `EDGE8_REQUIRE_TOOLS` set, as in CI, it fails.
pub fn have(program: &str) -> bool {
    require(
        program,
        Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success()),
    )
}

/// Whether the toolchain can compile for `target`; otherwise as [`have`].
pub fn have_target(target: &str) -> bool {
    let libdir = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
    let path =
        libdir.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    require(target, !path.is_empty() && std::path::Path::new(&path).is_dir())
}

/// Whether there is the shared folder beside the repository, which a user's clone has not; CI requires it where it is at all.
pub fn have_shared(folder: &std::path::Path) -> bool {
    let found = folder.is_dir();
    if !found {
        assert!(std::env::var_os("EDGE8_REQUIRE_SHARED").is_none(), "../shared is missing");
        eprintln!("skipped: ../shared is missing");
    }
    found
}

fn require(what: &str, found: bool) -> bool {
    if !found {
        assert!(
            std::env::var_os("EDGE8_REQUIRE_TOOLS").is_none(),
            "{what} is missing and EDGE8_REQUIRE_TOOLS is set"
        );
        eprintln!("skipped: {what} is missing on this machine");
    }
    found
}
