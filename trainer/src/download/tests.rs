//! Downloads from a small server on the loopback interface.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use super::*;

/// What the server does with one request.
enum Answer {
    /// Sends the file (from the place asked for), but stops after so many bytes.
    Break(usize),
    /// Sends all of it.
    Whole,
}

/// Serves `content` once for each answer; reports the first byte that was asked for.
fn serve(content: Vec<u8>, answers: Vec<Answer>) -> (String, Receiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/mnist", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut first = 0;
            for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                let line = line.unwrap().to_lowercase();
                if let Some(range) = line.strip_prefix("range: bytes=") {
                    first = range.trim_end_matches('-').parse().unwrap();
                }
                if line.is_empty() {
                    break;
                }
            }
            sender.send(first).unwrap();
            let rest = &content[first..];
            let status = if first > 0 { "206 Partial Content" } else { "200 OK" };
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", rest.len());
            stream.write_all(head.as_bytes()).unwrap();
            let sent = match answer {
                Answer::Break(length) => &rest[..length],
                Answer::Whole => rest,
            };
            stream.write_all(sent).unwrap();
        }
    });
    (address, receiver)
}

fn packed(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn an_interrupted_transfer_goes_on_where_it_stopped() {
    let content: Vec<u8> = (0..50_000u32).map(|i| ((i * i) >> 7) as u8).collect();
    let (mirror, requests) = serve(packed(&content), vec![Answer::Break(20_000), Answer::Whole]);
    let folder = tempfile::tempdir().unwrap();
    let mirrors = [mirror];
    let fetch = Fetch { folder: folder.path(), mirrors: &mirrors };
    let sha256 = files::hex(&Sha256::digest(&content));
    let error = format!("{:#}", fetch.file("a.gz", &sha256).unwrap_err());
    assert!(error.contains("stopped"), "{error}");
    assert!(!folder.path().join("a.gz").exists());
    fetch.file("a.gz", &sha256).unwrap();
    assert_eq!(requests.iter().collect::<Vec<_>>(), [0, 20_000]);
    assert_eq!(files::read_unpacked(&folder.path().join("a.gz")).unwrap(), content);
    // The server is gone: a file that is there and right needs none.
    fetch.file("a.gz", &sha256).unwrap();
}

#[test]
fn two_at_once_download_once() {
    let content: Vec<u8> = (0..3_000_000u32).map(|i| ((i * i) >> 7) as u8).collect();
    // The second of them would ask in vain.
    let (mirror, requests) = serve(packed(&content), vec![Answer::Whole]);
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("cache/mnist");
    let (mirrors, sha256) = ([mirror], files::hex(&Sha256::digest(&content)));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let fetch = Fetch { folder: &inner, mirrors: &mirrors };
            let sha256 = sha256.as_str();
            scope.spawn(move || fetch.files(&[("a.gz", sha256)]).unwrap());
        }
    });
    assert_eq!(requests.iter().collect::<Vec<_>>(), [0]);
    assert_eq!(files::read_unpacked(&inner.join("a.gz")).unwrap(), content);
}

#[test]
fn another_content_is_refused() {
    let (mirror, _requests) = serve(packed(b"not the digits"), vec![Answer::Whole]);
    let folder = tempfile::tempdir().unwrap();
    let mirrors = [mirror];
    let fetch = Fetch { folder: folder.path(), mirrors: &mirrors };
    let error = format!("{:#}", fetch.file("a.gz", &files::hex(&Sha256::digest(b"digits"))).unwrap_err());
    assert!(error.contains("SHA-256"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_dead_mirror_is_passed_over() {
    let (good, _requests) = serve(packed(b"digits"), vec![Answer::Whole]);
    let folder = tempfile::tempdir().unwrap();
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mirrors = [format!("http://{dead}"), good];
    let fetch = Fetch { folder: folder.path(), mirrors: &mirrors };
    fetch.file("a.gz", &files::hex(&Sha256::digest(b"digits"))).unwrap();
}
