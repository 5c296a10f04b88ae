//! A headless Chromium, driven through its DevTools protocol over a pipe: no driver, no socket, no network.
//!
//! With `--remote-debugging-pipe` the browser reads commands from descriptor 3 and answers on descriptor 4, each message a
//! JSON text that ends with a zero byte (<https://chromedevtools.github.io/devtools-protocol/>). A shell puts our
//! pipes on these descriptors.

use serde_json::{Value, json};
use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

/// What the browser may take for one answer, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser with one page open.
pub(crate) struct Browser {
    process: Child,
    commands: ChildStdin,
    answers: Receiver<Value>,
    profile: PathBuf,
    session: Option<String>,
    sent: u64,
    /// What the page complained of, and what it asked the network for.
    pub(crate) complaints: Vec<String>,
    pub(crate) requests: Vec<String>,
    loaded: bool,
}

impl Browser {
    /// Starts the browser with an empty page.
    pub(crate) fn start(name: &str) -> Browser {
        let profile = env::temp_dir().join(format!("wengert-browser-{}-{name}", std::process::id()));
        fs::create_dir_all(&profile).unwrap();
        let mut process = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#])
            .arg(executable())
            .args([
                "--headless",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
            ])
            .args(["--disable-background-networking", "--disable-extensions", "--disable-sync"])
            .args(["--disable-component-update", "--disable-dev-shm-usage", "--window-size=1280,900"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts the browser");
        let commands = process.stdin.take().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let (sender, answers) = channel();
        thread::spawn(move || {
            let mut message = Vec::new();
            while output.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                message.pop();
                if sender.send(serde_json::from_slice(&message).expect("the browser speaks JSON")).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let mut browser = Browser {
            process,
            commands,
            answers,
            profile,
            session: None,
            sent: 0,
            complaints: Vec::new(),
            requests: Vec::new(),
            loaded: false,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attached =
            browser.call("Target.attachToTarget", json!({ "targetId": target["targetId"], "flatten": true }));
        browser.session = Some(attached["sessionId"].as_str().unwrap().into());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Opens a file, in a colour scheme (`light` or `dark`) and a window of this size.
    pub(crate) fn open(&mut self, file: &Path, scheme: &str, [width, height]: [u32; 2]) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", features);
        self.loaded = false;
        self.requests.clear();
        let url = format!("file://{}", file.canonicalize().unwrap().display());
        self.call("Page.navigate", json!({ "url": url }));
        while !self.loaded {
            let message = self.answers.recv_timeout(PATIENCE).expect("the page loads");
            self.note(&message);
        }
        self.requests.retain(|request| *request != url && !request.starts_with("data:"));
    }

    /// The value of an expression in the page.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let question = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", question);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// The text of an expression.
    pub(crate) fn text(&mut self, expression: &str) -> String {
        self.value(expression).as_str().unwrap_or_else(|| panic!("{expression} is not a text")).into()
    }

    /// Presses a key, as a person would.
    pub(crate) fn key(&mut self, key: &str) {
        let (code, number) = match key {
            "ArrowLeft" => ("ArrowLeft", 37),
            "ArrowUp" => ("ArrowUp", 38),
            "ArrowRight" => ("ArrowRight", 39),
            "ArrowDown" => ("ArrowDown", 40),
            "Home" => ("Home", 36),
            "End" => ("End", 35),
            "Enter" => ("Enter", 13),
            "Escape" => ("Escape", 27),
            "Tab" => ("Tab", 9),
            " " => ("Space", 32),
            _ => ("", 0),
        };
        let text = match key {
            "Enter" => "\r",
            _ if key.chars().count() == 1 => key,
            _ => "",
        };
        let event = json!({ "key": key, "code": code, "windowsVirtualKeyCode": number });
        let mut down = event.clone();
        down["type"] = if text.is_empty() { "rawKeyDown" } else { "keyDown" }.into();
        down["text"] = text.into();
        self.call("Input.dispatchKeyEvent", down);
        let mut up = event;
        up["type"] = "keyUp".into();
        self.call("Input.dispatchKeyEvent", up);
    }

    /// Moves the pointer to the middle of the first element that the selector finds.
    pub(crate) fn point_at(&mut self, selector: &str) -> (f64, f64) {
        let quoted = Value::from(selector);
        let middle = self.value(&format!(
            "(() => {{ const e = document.querySelector({quoted}); e.scrollIntoView({{block: 'center', inline: 'center'}});
               const b = e.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; }})()"
        ));
        let (x, y) = (middle[0].as_f64().unwrap(), middle[1].as_f64().unwrap());
        self.call("Input.dispatchMouseEvent", json!({ "type": "mouseMoved", "x": x, "y": y }));
        (x, y)
    }

    /// Clicks on the first element that the selector finds.
    pub(crate) fn click(&mut self, selector: &str) {
        let (x, y) = self.point_at(selector);
        for event in ["mousePressed", "mouseReleased"] {
            let mouse = json!({ "type": event, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", mouse);
        }
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.sent += 1;
        let mut command = json!({ "id": self.sent, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            command["sessionId"] = session.as_str().into();
        }
        write!(self.commands, "{command}\0").expect("the browser is running");
        self.commands.flush().expect("the browser is running");
        loop {
            let message =
                self.answers.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{method}: {error}"));
            if message["id"] == self.sent {
                assert!(message.get("error").is_none(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.note(&message);
        }
    }

    fn note(&mut self, event: &Value) {
        let of = &event["params"];
        match event["method"].as_str() {
            Some("Page.loadEventFired") => self.loaded = true,
            Some("Runtime.exceptionThrown") => self.complaints.push(of["exceptionDetails"].to_string()),
            Some("Runtime.consoleAPICalled") => self.complaints.push(of["args"].to_string()),
            Some("Log.entryAdded") => self.complaints.push(of["entry"].to_string()),
            Some("Network.requestWillBeSent") => {
                self.requests.push(of["request"]["url"].as_str().unwrap_or_default().into());
            }
            _ => {}
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}

/// Debian's name, or what the variable `CHROMIUM` says.
fn executable() -> PathBuf {
    env::var_os("CHROMIUM").map_or_else(|| PathBuf::from("chromium"), PathBuf::from)
}
