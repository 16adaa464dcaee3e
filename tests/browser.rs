//! Chromium without a window, over the pipe of its DevTools protocol: one page, driven as a person would.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer nothing takes that a test waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser that takes longer to close is killed.
const CLOSING: Duration = Duration::from_secs(10);

/// Debian's name of the program.
pub const CHROMIUM: &str = "chromium";

/// The browser reads commands from its file 3 and answers on its file 4.
const PIPES: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null"#;

/// A browser with one page; it ends with this.
#[derive(Debug)]
pub struct Browser {
    process: Child,
    commands: ChildStdin,
    answers: Receiver<Value>,
    count: u64,
    /// Of the page.
    session: Option<String>,
    _profile: TempDir,
}

impl Browser {
    /// Starts the browser with an empty profile. `arguments` are the browser's own.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(arguments: &[&str]) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new("sh");
        command.args(["-c", PIPES, CHROMIUM, "--headless=new", "--no-sandbox", "--remote-debugging-pipe"]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).args(arguments);
        // What it leaves when it is killed goes with the profile.
        command.env("TMPDIR", profile.path());
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the browser starts");
        let commands = process.stdin.take().expect("piped");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            for message in output.split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("the browser sends JSON");
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut browser = Self { process, commands, answers, count: 0, session: None, _profile: profile };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }))["targetId"].take();
        let attached = browser.call("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        browser
    }

    /// Calls a method of the protocol.
    ///
    /// # Panics
    /// If the browser refuses it, or does not answer.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.count += 1;
        let mut message = json!({ "id": self.count, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        write!(self.commands, "{message}\0").expect("the browser listens");
        loop {
            let mut answer = self.answers.recv_timeout(PATIENCE).expect("the browser answers");
            // The others tell of events.
            if answer["id"] == self.count {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].take();
            }
        }
    }

    /// The value of an expression, or what its promise holds.
    ///
    /// # Panics
    /// If it throws.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let how = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", how);
        let thrown = &answer["exceptionDetails"];
        assert!(thrown.is_null(), "{expression}: {thrown}");
        answer["result"]["value"].take()
    }

    /// Waits until something gives a value.
    ///
    /// # Panics
    /// If that takes too long.
    pub fn wait<T>(&mut self, what: &str, mut look: impl FnMut(&mut Self) -> Option<T>) -> T {
        let begin = Instant::now();
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(begin.elapsed() < PATIENCE, "waited in vain for: {what}");
            sleep(Duration::from_millis(50));
        }
    }

    /// The text that a screen reader finds in the first element with a role.
    pub fn accessible(&mut self, role: &str) -> String {
        let tree = self.call("Accessibility.getFullAXTree", json!({}));
        let nodes: Vec<&Value> = tree["nodes"].as_array().into_iter().flatten().collect();
        let mut text = String::new();
        let mut rest: Vec<&Value> =
            nodes.iter().copied().filter(|node| node["role"]["value"] == role).take(1).collect();
        while let Some(node) = rest.pop() {
            if node["role"]["value"] == "StaticText" {
                text += node["name"]["value"].as_str().unwrap_or("");
            }
            let children = node["childIds"].as_array().into_iter().flatten();
            rest.extend(children.flat_map(|id| nodes.iter().copied().find(|node| node["nodeId"] == *id)));
        }
        text
    }

    /// Presses the mouse's left button at the first place, moves to the others and lifts it there.
    pub fn drag(&mut self, places: &[(f64, f64)]) {
        let mut mouse = |kind: &str, (x, y): (f64, f64), buttons: u32| {
            let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        };
        let (Some(&first), Some(&last)) = (places.first(), places.last()) else { return };
        mouse("mousePressed", first, 1);
        places.iter().for_each(|&place| mouse("mouseMoved", place, 1));
        mouse("mouseReleased", last, 0);
    }

    /// Presses a key, `text` being what it writes.
    pub fn press(&mut self, key: &str, text: &str) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            _ => u32::from(key.to_ascii_uppercase().as_bytes()[0]),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event = json!({ "type": kind, "key": key, "text": text, "windowsVirtualKeyCode": code });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Gives a file to the input element that a selector finds.
    pub fn choose(&mut self, selector: &str, file: &std::path::Path) {
        let found = self.call(
            "Runtime.evaluate",
            json!({ "expression": format!("document.querySelector('{selector}')") }),
        );
        let object = &found["result"]["objectId"];
        let file = file.canonicalize().expect("the file is there");
        self.call("DOM.setFileInputFiles", json!({ "objectId": object, "files": [file] }));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked to close it ends all its processes, and then its profile can be removed. One that has ended is as good.
        let _ = write!(self.commands, "{}\0", json!({ "id": 0, "method": "Browser.close" }));
        let begin = Instant::now();
        while begin.elapsed() < CLOSING {
            if let Ok(Some(_)) = self.process.try_wait() {
                return;
            }
            sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
