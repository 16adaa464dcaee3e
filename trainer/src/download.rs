//! Fetches MNIST's files: several mirrors, interrupted transfers go on where they stopped, contents pinned by SHA-256,
//! one process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

/// Folders that hold the four files.
const MIRRORS: [&str; 2] =
    ["https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"];

/// A single mirror instead of [`MIRRORS`]: for firewalled machines, and for the test.
const MIRROR_VARIABLE: &str = "EDGE8_MNIST_MIRROR";

/// The files and the SHA-256 of what they unpack to: mirrors pack them differently.
const FILES: [(&str, &str); 4] = [
    ("train-images-idx3-ubyte.gz", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    ("train-labels-idx1-ubyte.gz", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    ("t10k-images-idx3-ubyte.gz", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    ("t10k-labels-idx1-ubyte.gz", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
];

/// No packed file is larger.
const MAX_BYTES: u64 = 32 << 20;

/// Where the files are kept: `$XDG_CACHE_HOME/edge8/mnist`, or the same under `~/.cache` or `%LOCALAPPDATA%`.
///
/// # Errors
/// If the environment names no such folder.
pub fn cache_folder() -> Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("XDG_CACHE_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".cache")))
        .or_else(|| variable("LOCALAPPDATA"))
        .map(|cache| cache.join("edge8").join("mnist"))
        .context("no folder to keep MNIST in: set XDG_CACHE_HOME, or pass a folder with --data")
}

/// Makes sure that `folder` holds MNIST; files that are there and right are not fetched again.
///
/// # Errors
/// Says for each mirror why it did not give a file.
pub fn download_mnist(folder: &Path) -> Result<()> {
    let mirrors = match std::env::var(MIRROR_VARIABLE) {
        Ok(mirror) => vec![mirror],
        Err(_) => MIRRORS.map(String::from).to_vec(),
    };
    Fetch { folder, mirrors: &mirrors }.files(&FILES)
}

struct Fetch<'a> {
    folder: &'a Path,
    mirrors: &'a [String],
}

impl Fetch<'_> {
    /// Fetches what is missing; if nothing is, the folder may be read-only.
    fn files(&self, files: &[(&str, &str)]) -> Result<()> {
        if files.iter().all(|(name, sha256)| check(&self.folder.join(name), sha256).is_ok()) {
            return Ok(());
        }
        std::fs::create_dir_all(self.folder).with_context(|| {
            format!("cannot create {}: pass a folder that holds MNIST with --data", self.folder.display())
        })?;
        let _lock = lock(self.folder)?;
        files.iter().try_for_each(|(name, sha256)| self.file(name, sha256))
    }

    /// Fetches one file, unless another process has done so in the meantime.
    fn file(&self, name: &str, sha256: &str) -> Result<()> {
        let path = self.folder.join(name);
        if check(&path, sha256).is_ok() {
            return Ok(());
        }
        let mut failures = Vec::new();
        for mirror in self.mirrors {
            let url = format!("{}/{name}", mirror.trim_end_matches('/'));
            match self.try_mirror(&url, &path, sha256) {
                Ok(()) => return Ok(()),
                Err(error) => failures.push(format!("{url}: {error:#}")),
            }
        }
        bail!(
            "cannot download {name}; pass a folder that holds MNIST with --data\n  {}",
            failures.join("\n  ")
        )
    }

    /// The rest of the file after what an earlier attempt left, then the check. Two attempts: what is left may be from
    /// another mirror.
    fn try_mirror(&self, url: &str, path: &Path, sha256: &str) -> Result<()> {
        let part = path.with_extension("part.gz");
        let started = part.metadata().is_ok_and(|metadata| metadata.len() > 0);
        fetch_rest(url, &part)?;
        let mut result = check(&part, sha256);
        if result.is_err() && started {
            std::fs::remove_file(&part)?;
            fetch_rest(url, &part)?;
            result = check(&part, sha256);
        }
        if result.is_err() {
            std::fs::remove_file(&part)?;
        }
        result?;
        Ok(std::fs::rename(&part, path)?)
    }
}

/// Waits until no other process downloads into `folder`. The lock ends with the returned file, however the process
/// ends. The file's name stays: if it went, whoever waits for it would hold a lock that others no longer see.
fn lock(folder: &Path) -> Result<File> {
    let path = folder.join(".lock");
    let name = || format!("cannot lock {}", path.display());
    let file = File::create(&path).with_context(name)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            eprintln!("waiting for another download into {}", folder.display());
            file.lock().with_context(name)?;
        }
        Err(TryLockError::Error(error)) => return Err(error).with_context(name),
    }
    Ok(file)
}

/// Appends to `part` what follows the bytes it has.
fn fetch_rest(url: &str, part: &Path) -> Result<()> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(Duration::from_secs(30)))
        .timeout_recv_body(Some(Duration::from_secs(600)))
        .http_status_as_error(false)
        .build()
        .into();
    let have = part.metadata().map_or(0, |metadata| metadata.len());
    let mut request = agent.get(url);
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    let response = request.call()?;
    let mut file = match response.status().as_u16() {
        206 if have > 0 => OpenOptions::new().append(true).open(part)?,
        200 => File::create(part)?,
        // Nothing follows: the file is already whole.
        416 if have > 0 => return Ok(()),
        status => bail!("the server answers {status}"),
    };
    let mut body = response.into_body().into_reader().take(MAX_BYTES);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count =
            body.read(&mut buffer).context("the transfer stopped; the next attempt goes on from there")?;
        if count == 0 {
            return Ok(file.flush()?);
        }
        file.write_all(&buffer[..count])?;
    }
}

/// Compares the SHA-256 of what `path` unpacks to.
fn check(path: &Path, sha256: &str) -> Result<()> {
    let found = files::hex(&Sha256::digest(files::read_unpacked(path)?));
    ensure!(found == sha256, "its content has SHA-256 {found}, expected {sha256}");
    Ok(())
}

#[cfg(test)]
mod tests;
