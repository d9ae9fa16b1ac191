//! A client of the protocol `WebDriver`, for `chromedriver`.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::{env, fs};

use reqwest::blocking::Client;
use serde_json::{Value, json};

/// The names of the programs, in the order of preference.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const DRIVER: &str = "chromedriver";

/// A browser without a window. Ends with the value.
pub(crate) struct Browser {
    driver: Child,
    session: String,
    client: Client,
}

fn find(program: &str) -> Option<String> {
    let paths = env::var_os("PATH")?;
    let found = env::split_paths(&paths).map(|folder| folder.join(program)).find(|it| it.is_file());
    found.map(|path| path.to_string_lossy().into_owned())
}

impl Browser {
    /// Starts a browser. Without the programs, prints a note and returns `None`; in CI, fails.
    pub(crate) fn start(width: u32, height: u32, dark: bool) -> Option<Self> {
        let browser = BROWSERS.iter().find_map(|name| find(name));
        let (Some(browser), Some(driver)) = (browser, find(DRIVER)) else {
            let missing = "SKIPPED: `chromium` or `chromedriver` is not installed";
            assert!(env::var_os("RESILIENCE_CI").is_none(), "{missing}");
            eprintln!("{missing}");
            return None;
        };
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver starts");
        let mut lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.split_once("started successfully on port ")?;
                Some(port.trim_end_matches('.').to_owned())
            })
            .expect("the driver states its port");
        // The pipe stays open and is read, so that the driver never waits for a reader.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let mut browser_arguments = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--hide-scrollbars".to_owned(),
            format!("--window-size={width},{height}"),
        ];
        if dark {
            browser_arguments.push("--force-dark-mode".to_owned());
            browser_arguments.push("--blink-settings=preferredColorScheme=0".to_owned());
        }
        let client = Client::builder().timeout(None).build().expect("a client");
        let base = format!("http://127.0.0.1:{port}/session");
        let mut options = json!({ "binary": browser, "args": browser_arguments });
        // A window is at least 500 pixels wide, so a phone is emulated.
        if width < 500 {
            let metrics =
                json!({ "width": width, "height": height, "pixelRatio": 2, "touch": true });
            options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
        }
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let mut started = Self { driver, session: base, client };
        let session = started.post("", &capabilities);
        let id = session["sessionId"].as_str().expect("a session").to_owned();
        started.session = format!("{}/{id}", started.session);
        Some(started)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let response = self.client.post(format!("{}{path}", self.session)).json(body).send();
        let mut answer: Value = response.expect("the driver answers").json().expect("JSON");
        let value = answer["value"].take();
        assert!(value.get("error").is_none(), "{path}: {value}");
        value
    }

    /// Opens an address.
    pub(crate) fn open(&self, address: &str) {
        self.post("/url", &json!({ "url": address }));
    }

    /// Runs a script in the page, and returns its value.
    pub(crate) fn run(&self, script: &str, arguments: &[&str]) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// Waits in the browser until an expression is true, for at most 30 s, and fails then.
    pub(crate) fn wait_until(&self, expression: &str) {
        let script = format!(
            "const done = arguments[0], start = performance.now();
             (function check() {{
               let value = false;
               try {{ value = Boolean({expression}); }} catch {{}}
               if (value || performance.now() - start > 30000) done(value);
               else setTimeout(check, 20);
             }})()"
        );
        let body = json!({ "script": script, "args": [] });
        self.post("/timeouts", &json!({ "script": 60_000 }));
        let is_true = self.post("/execute/async", &body);
        assert_eq!(is_true, true, "never true: {expression}\n{}", self.text());
    }

    /// Clicks an element as a user does: the element must be visible.
    pub(crate) fn click(&self, selector: &str) {
        self.post(&format!("/element/{}/click", self.element(selector)), &json!({}));
    }

    /// Replaces the text of a field as a user does.
    pub(crate) fn fill(&self, selector: &str, text: &str) {
        let id = self.element(selector);
        self.post(&format!("/element/{id}/clear"), &json!({}));
        self.post(&format!("/element/{id}/value"), &json!({ "text": text }));
    }

    /// Returns the identity of an element.
    fn element(&self, selector: &str) -> String {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        let id = found.as_object().and_then(|it| it.values().next()).and_then(Value::as_str);
        id.expect("an element").to_owned()
    }

    /// Returns the visible text of the page.
    pub(crate) fn text(&self) -> String {
        let text = self.run("return document.body.innerText", &[]);
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Returns the errors in the console of the page, without those that name an expected status.
    pub(crate) fn console_except(&self, status: &str) -> Vec<String> {
        let mut errors = self.console();
        errors.retain(|error| !error.contains(&format!("status of {status}")));
        errors
    }

    /// Returns the errors in the console of the page.
    pub(crate) fn console(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({ "type": "browser" }));
        let entries = entries.as_array().cloned().unwrap_or_default();
        let is_error = |entry: &&Value| entry["level"] == "SEVERE";
        entries.iter().filter(is_error).map(|entry| entry["message"].to_string()).collect()
    }

    /// Writes a picture of the window to `target/admin/NAME.png`.
    pub(crate) fn picture(&self, name: &str) {
        let answer = self.client.get(format!("{}/screenshot", self.session)).send();
        let answer: Value = answer.expect("the driver answers").json().expect("JSON");
        let bytes = decode(answer["value"].as_str().expect("a picture"));
        assert!(bytes.starts_with(b"\x89PNG"), "a picture in PNG");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/admin");
        fs::create_dir_all(&folder).expect("the folder target is writable");
        fs::write(folder.join(format!("{name}.png")), bytes).expect("the picture is written");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser. If the test fails before a session exists, the driver ends alone.
        let _ = self.client.delete(&self.session).send();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Decodes base64.
fn decode(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<u32> = text
        .bytes()
        .filter_map(|byte| DIGITS.iter().position(|digit| *digit == byte))
        .map(|digit| u32::try_from(digit).expect("below 64"))
        .collect();
    let bytes = |group: &[u32]| {
        let word = group.iter().fold(0, |word, digit| word << 6 | digit) << (6 * (4 - group.len()));
        word.to_be_bytes()[1..group.len()].to_vec()
    };
    digits.chunks(4).flat_map(bytes).collect()
}

#[test]
fn base64_is_decoded() {
    assert_eq!(decode("aGVsbG8="), b"hello");
    assert_eq!(decode("iVBORw0K"), b"\x89PNG\r\n");
    assert_eq!(decode("YQ=="), b"a");
}
