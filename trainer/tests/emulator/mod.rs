//! An emulated GPU: CUDA's libraries as far as `trainer` calls them, compiled by g++ for this machine's CPU.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

const SOURCES: [(&str, &str); 2] =
    [("driver.cpp", include_str!("driver.cpp")), ("device.h", include_str!("device.h"))];

/// The folder that has to be in `LD_LIBRARY_PATH` of a process that is to find the emulated GPU. Where g++ is missing the test
/// that asks says so and is skipped; with the variable `EDGE8_REQUIRE_TOOLS` set, as in CI, it fails.
pub fn folder() -> Option<PathBuf> {
    let runs = Command::new("g++").arg("--version").output().is_ok_and(|output| output.status.success());
    if !runs || !cfg!(target_os = "linux") {
        assert!(
            std::env::var_os("EDGE8_REQUIRE_TOOLS").is_none(),
            "g++ is missing and EDGE8_REQUIRE_TOOLS is set"
        );
        eprintln!("skipped: g++ for the emulated GPU is missing on this machine");
        return None;
    }
    // Of the tests of this process one builds it.
    static BUILDING: Mutex<()> = Mutex::new(());
    let _one = BUILDING.lock();
    let mut hasher = DefaultHasher::new();
    SOURCES.hash(&mut hasher);
    let program = std::env::current_exe().expect("a test knows where it lies");
    let folder = program.with_file_name(format!("emulated-cuda-{:016x}", hasher.finish()));
    if !folder.exists() {
        build(&folder);
    }
    Some(folder)
}

/// Under another name first: other processes may do the same at the same time.
fn build(folder: &Path) {
    let made = folder.with_extension(std::process::id().to_string());
    std::fs::create_dir_all(&made).expect("a folder beside the tests");
    for (name, text) in SOURCES {
        std::fs::write(made.join(name), text).expect("room for the emulator");
    }
    let library = made.join("libcuda.so");
    let options = ["-std=c++17", "-O3", "-march=native", "-shared", "-fPIC", "-U_FORTIFY_SOURCE", "-o"];
    let output = Command::new("g++")
        .args(options)
        .args([&library, &made.join("driver.cpp")])
        .arg("-ldl")
        .output()
        .expect("g++ was there before");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for name in ["libcublas.so", "libnvrtc.so"] {
        std::fs::hard_link(&library, made.join(name)).expect("links beside the tests");
    }
    // Whoever was faster has made the same.
    if std::fs::rename(&made, folder).is_err() {
        let _ = std::fs::remove_dir_all(&made);
    }
}
