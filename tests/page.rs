//! The device app in a browser: the built page, opened in Chromium and used as a person would.

use embedded_graphics::framebuffer::{Framebuffer, buffer_size};
use embedded_graphics::pixelcolor::raw::{LittleEndian, RawU16};
use embedded_graphics::pixelcolor::{Rgb565, Rgb888};
use embedded_graphics::prelude::{RgbColor, Size};
use firmware_sim::layout::Layout;
use firmware_sim::reader::Verdict;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;
use tests::browser::{Browser, CHROMIUM};
use tests::site::Site;
use tests::{commands, nearest, strokes, tools};

const WIDTH: usize = 320;
const HEIGHT: usize = 240;

/// The page may have so many bytes.
const MOST: u64 = 1_500_000;

/// The page, built once; [`None`] where a tool is missing.
fn page() -> Option<&'static Path> {
    static PAGE: OnceLock<PathBuf> = OnceLock::new();
    can_build().then(|| PAGE.get_or_init(|| build("page", None)).as_path())
}

fn can_build() -> bool {
    tools::have(CHROMIUM) && tools::have_target("wasm32-unknown-unknown")
}

/// Builds a page into a folder of its own, with the shipped model or another. One at a time: the program is built in one place.
fn build(name: &str, model: Option<&Path>) -> PathBuf {
    static BUILDING: Mutex<()> = Mutex::new(());
    let _building = BUILDING.lock();
    let folder = commands::scratch().join(name);
    let mut build = Command::new(commands::root().join("firmware-sim/page/build"));
    build.arg(&folder).args(model).env("CARGO_TARGET_DIR", commands::scratch());
    let output = build.output().expect("sh starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

fn script(name: &str) -> String {
    strokes::scripts().into_iter().find(|(found, _)| found == name).expect("a script").1
}

/// A page that has started.
fn open(site: &Site, arguments: &[&str]) -> Browser {
    let mut browser = Browser::start(arguments);
    browser.call("Page.navigate", json!({ "url": site.url() }));
    says(&mut browser, "Nothing to read yet.");
    browser
}

/// Waits until the page says something to a screen reader.
fn says(browser: &mut Browser, text: &str) {
    browser.wait(text, |browser| browser.accessible("status").contains(text).then_some(()));
}

/// Draws a script with the mouse.
fn draw(browser: &mut Browser, script: &str) {
    let corner = browser.evaluate(
        "(({ left, top, width }) => [left, top, width])(document.querySelector('#display').getBoundingClientRect())",
    );
    let [left, top, width] = [0, 1, 2].map(|index| corner[index].as_f64().expect("a number"));
    let scale = width / WIDTH as f64;
    let sheet = Layout::new(Size::new(WIDTH as u32, HEIGHT as u32)).expect("large enough").sheet;
    let place = |point: &str| {
        let (x, y) = point.split_once(',').expect("x,y");
        let along = |part: &str, first: i32| {
            f64::from(first) + part.parse::<f64>().expect("a number") / 100.0 * f64::from(sheet.size.width)
        };
        (left + along(x, sheet.top_left.x) * scale, top + along(y, sheet.top_left.y) * scale)
    };
    for line in script.lines().filter(|line| !line.starts_with('#')) {
        browser.drag(&line.split_whitespace().map(place).collect::<Vec<_>>());
    }
}

#[test]
fn a_drawn_digit_is_read_also_without_a_network() {
    let Some(page) = page() else { return };
    let site = Site::new(page.to_owned());
    let mut browser = open(&site, &[]);
    draw(&mut browser, &script("7"));
    says(&mut browser, "This is a 7");
    browser.evaluate("navigator.serviceWorker.ready.then(() => true)");
    drop(site);
    browser.call("Page.reload", json!({}));
    says(&mut browser, "Nothing to read yet.");
    draw(&mut browser, &script("3"));
    says(&mut browser, "This is a 3");
}

#[test]
fn keys_alone_are_enough() {
    let Some(page) = page() else { return };
    let site = Site::new(page.to_owned());
    let mut browser = open(&site, &[]);
    let focused = |browser: &mut Browser| browser.evaluate("document.activeElement.id");
    let mut order = Vec::new();
    for _ in 0..4 {
        browser.press("Tab", "");
        order.push(focused(&mut browser));
    }
    assert_eq!(order, ["clear", "example", "choose", "camera"]);
    browser.evaluate("document.querySelector('#example').focus()");
    browser.press("Enter", "\r");
    says(&mut browser, "This is a 7");
    browser.press("c", "c");
    says(&mut browser, "Nothing to read yet.");
    browser.press("e", "e");
    says(&mut browser, "This is a 3");
}

#[test]
fn pictures_are_read_from_files_and_from_the_camera() {
    let Some(page) = page() else { return };
    let site = Site::new(page.to_owned());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let film = folder.path().join("film.mjpeg");
    std::fs::copy(commands::root().join("tests/pictures/7_paper.jpg"), &film).expect("copied");
    let film = format!("--use-file-for-fake-video-capture={}", film.display());
    let fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", &film];
    let mut browser = open(&site, &fake);
    browser.choose("#file", &commands::root().join("runtime/assets/5_blue_ink.png"));
    says(&mut browser, "This is a 5");
    browser.evaluate("document.querySelector('#camera').click()");
    let seen = "document.querySelector('#video').currentTime > 0";
    browser.wait("the camera", |browser| browser.evaluate(seen).as_bool().filter(|&seen| seen));
    browser.evaluate("document.querySelector('#take').click()");
    says(&mut browser, "This is a 7");
    let off = |browser: &mut Browser| {
        let stream = browser.evaluate("document.querySelector('#video').srcObject === null");
        stream.as_bool().filter(|&off| off).map(|_| ())
    };
    browser.wait("the camera is off", off);
    // Closed at once, before there is a first frame.
    let closed = "new Promise((done) => {
        const dialog = document.querySelector('#viewfinder');
        const look = () => (dialog.open ? done(dialog.close()) : setTimeout(look, 1));
        document.querySelector('#camera').click();
        look();
    })";
    browser.evaluate(closed);
    browser.wait("the camera is off", off);
}

#[test]
fn what_is_no_picture_or_has_no_digit_is_told() {
    let Some(page) = page() else { return };
    let site = Site::new(page.to_owned());
    let mut browser = open(&site, &[]);
    browser.choose("#file", &commands::root().join("README.md"));
    says(&mut browser, "expected a PNG or JPEG, found README.md");
    // Dropped on the page, after each other: the second one counts.
    let five = std::fs::read(commands::root().join("runtime/assets/5_blue_ink.png")).expect("a picture");
    browser.evaluate(&format!(
        "(() => {{
            const drop = (part, name) => {{
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([part], name, {{ type: 'image/png' }}));
                document.dispatchEvent(new DragEvent('drop', {{ dataTransfer, cancelable: true }}));
            }};
            drop('no picture', 'none.png');
            drop(Uint8Array.from({}), 'five.png');
        }})()",
        json!(five)
    ));
    says(&mut browser, "This is a 5");
    let blank = "(async () => {
        const canvas = new OffscreenCanvas(40, 40);
        canvas.getContext('2d').fillRect(0, 0, 40, 40);
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([await canvas.convertToBlob()], 'blank.png', { type: 'image/png' }));
        document.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
    })()";
    browser.evaluate(blank);
    says(&mut browser, "There is nothing to read in blank.png");
    draw(&mut browser, &script("7"));
    says(&mut browser, "This is a 7");
}

/// A page with another model: 12 named colours, of which a dropped picture shows one.
#[test]
fn a_model_of_pictures_names_what_is_dropped() {
    if !can_build() {
        return;
    }
    let level = |index: usize, unit: usize| (index / unit % 3 * 127) as u8;
    let colour = |index: usize| vec![level(index, 9), level(index, 3), level(index, 1)];
    let classes: Vec<_> = (0..12).map(|index| (format!("Farbe {index} ü"), colour(2 * index))).collect();
    let model = commands::scratch().join("colours.edge8");
    std::fs::write(&model, nearest::image(&classes, [20, 28])).expect("written");
    let site = Site::new(build("page of pictures", Some(&model)));
    let mut browser = open(&site, &[]);
    let texts = browser.evaluate(
        "[document.title, document.querySelector('.hint').textContent, document.querySelector('#example').hidden]",
    );
    assert_eq!(texts, json!(["edge8 reads pictures", "Draw, or drop a picture anywhere.", true]));
    let [red, green, blue] = [0, 1, 2].map(|channel| classes[7].1[channel]);
    browser.evaluate(&format!(
        "(async () => {{
            const canvas = new OffscreenCanvas(40, 30);
            const context = canvas.getContext('2d');
            context.fillStyle = 'rgb({red} {green} {blue})';
            context.fillRect(0, 0, 40, 30);
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([await canvas.convertToBlob()], 'seven.png', {{ type: 'image/png' }}));
            document.dispatchEvent(new DragEvent('drop', {{ dataTransfer, cancelable: true }}));
        }})()"
    ));
    says(&mut browser, "Farbe 7 ü, ");
    let rows = browser.evaluate(
        "(() => {
            const items = [...document.querySelectorAll('#probabilities li')];
            const seen = document.querySelector('#seen');
            const { data } = seen.getContext('2d').getImageData(3, 3, 1, 1);
            return [items.length, items[0].firstChild.textContent, seen.width, seen.height, ...data];
        })()",
    );
    let seen: Vec<i64> = rows.as_array().into_iter().flatten().filter_map(Value::as_i64).collect();
    assert_eq!((rows[1].as_str(), &seen[..3]), (Some("Farbe 7 ü"), &[10, 28, 20][..]));
    let near = |(&found, byte): (&i64, u8)| (found - i64::from(byte)).abs() <= 1;
    assert!(seen[3..].iter().zip([red, green, blue, 255]).all(near), "{seen:?}");
    draw(&mut browser, "50,20 50,80");
    says(&mut browser, "Farbe ");
}

#[test]
fn a_phone_shows_the_device_whole_either_way() {
    let Some(page) = page() else { return };
    let site = Site::new(page.to_owned());
    let mut browser = open(&site, &[]);
    for (width, height) in [(320, 568), (390, 844), (667, 375), (844, 390), (1280, 800)] {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        browser.call("Emulation.setDeviceMetricsOverride", metrics);
        let lengths = browser.evaluate(
            "[document.documentElement.scrollWidth, document.querySelector('#display').clientHeight]",
        );
        let [wide, high] = [0, 1].map(|index| lengths[index].as_i64().expect("a number"));
        assert!(wide <= width && high > 100 && high < height - 50, "{width}x{height}: {lengths}");
    }
}

#[test]
fn a_reload_shows_a_new_version() {
    let Some(page) = page() else { return };
    let copy = tempfile::tempdir().expect("a temporary folder");
    let copied = Command::new("cp").arg("-R").arg(page).arg(copy.path().join("page")).status();
    assert!(copied.expect("cp starts").success());
    let site = Site::new(copy.path().join("page"));
    let mut browser = open(&site, &[]);
    browser.evaluate("navigator.serviceWorker.ready.then(() => true)");
    let change = |name: &str, from: &str, to: &str| {
        let path = copy.path().join("page").join(name);
        let text = std::fs::read_to_string(&path).expect("a text");
        assert!(text.contains(from));
        std::fs::write(path, text.replace(from, to)).expect("writable");
    };
    change("index.html", "<h1>edge8</h1>", "<h1>edge9</h1>");
    change("worker.js", "const CACHE = `${CACHES}", "const CACHE = `${CACHES}new-");
    let update = "navigator.serviceWorker.getRegistration().then((found) => found.update()).then(() => true)";
    browser.evaluate(update);
    browser.wait("the new worker", |browser| {
        let kept = browser.evaluate("caches.keys()");
        let kept = kept.as_array()?;
        (kept.len() == 1 && kept[0].as_str()?.contains("new-")).then_some(())
    });
    browser.call("Page.reload", json!({}));
    says(&mut browser, "Nothing to read yet.");
    assert_eq!(browser.evaluate("document.querySelector('h1').textContent"), "edge9");
}

/// What a script leaves: the verdict as the page's functions have it, the hash of all layers, that of the display, and
/// microseconds of every reading.
#[derive(Debug)]
struct Replayed {
    verdict: u32,
    layers: String,
    display: i32,
    times: Vec<u64>,
}

/// Replays a script on this machine.
fn replay(image: &[u8], script: &str) -> Replayed {
    let mut display = Box::new(Framebuffer::<
        Rgb565,
        RawU16,
        LittleEndian,
        WIDTH,
        HEIGHT,
        { buffer_size::<Rgb565>(WIDTH, HEIGHT) },
    >::new());
    let strokes::Replayed { verdict, layers, times, .. } = strokes::replay(image, script, display.as_mut());
    let verdict = match verdict {
        Verdict::Class(class) => class.into(),
        Verdict::Reject => 10,
        Verdict::Blank => 11,
    };
    let pixels = display.data().as_chunks().0.iter().map(|&bytes| {
        let color = Rgb888::from(Rgb565::from(RawU16::from(u16::from_le_bytes(bytes))));
        [color.r(), color.g(), color.b(), u8::MAX]
    });
    let display = pixels.flatten().fold(0i32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    Replayed { verdict, layers: format!("{layers:08x}"), display, times }
}

/// Replays scripts in the page, with one of its programs.
const REPLAY: &str = r"
async (program, scripts) => {
    const { start } = await import('./device.js');
    const replayed = async (script) => {
        const device = await start(program);
        device.wasm.step();
        const times = [];
        await device.replay(script, () => void times.push(device.wasm.reading_micros() >>> 0));
        const display = device.image.data.reduce((hash, byte) => (Math.imul(hash, 31) + byte) | 0, 0);
        return { verdict: device.wasm.verdict(), layers: device.hash(), display, times };
    };
    return Promise.all(scripts.map(replayed));
}";

fn replay_in(browser: &mut Browser, program: &str, scripts: &[(String, String)]) -> Vec<Replayed> {
    let scripts: Vec<&str> = scripts.iter().map(|(_, script)| script.as_str()).collect();
    let answers = browser.evaluate(&format!("({REPLAY})({}, {})", json!(program), json!(scripts)));
    let number = |value: &Value| value.as_i64().expect("a number");
    let replayed = |answer: &Value| Replayed {
        verdict: number(&answer["verdict"]) as u32,
        layers: answer["layers"].as_str().expect("a text").to_owned(),
        display: number(&answer["display"]) as i32,
        times: answer["times"].as_array().into_iter().flatten().map(|time| number(time) as u64).collect(),
    };
    answers.as_array().into_iter().flatten().map(replayed).collect()
}

fn median(replayed: &[Replayed]) -> Duration {
    let mut times: Vec<u64> = replayed.iter().flat_map(|replayed| replayed.times.iter().copied()).collect();
    times.sort_unstable();
    Duration::from_micros(times[times.len() / 2])
}

#[test]
fn the_page_has_the_bits_of_this_machine() {
    let Some(page) = page() else { return };
    let site = Site::new(page.to_owned());
    let mut browser = open(&site, &[]);
    let image = std::fs::read(commands::shipped()).expect("the shipped model");
    let scripts = strokes::scripts();
    let here: Vec<Replayed> = scripts.iter().map(|(_, script)| replay(&image, script)).collect();
    assert_eq!(scripts.len(), 13);
    println!("median of a reading: here {:?}", median(&here));
    for program in ["simd.wasm", "plain.wasm"] {
        let there = replay_in(&mut browser, program, &scripts);
        assert_eq!(there.len(), here.len());
        for ((name, _), (here, there)) in scripts.iter().zip(here.iter().zip(&there)) {
            let bits = |replayed: &Replayed| (replayed.verdict, replayed.layers.clone(), replayed.display);
            assert_eq!(bits(there), bits(here), "{program}, {name}");
            assert_eq!(there.times.len(), here.times.len(), "{program}, {name}");
        }
        println!("median of a reading: {program} in {CHROMIUM} {:?}", median(&there));
    }
}

#[test]
fn the_page_is_small_and_complete() {
    let Some(page) = page() else { return };
    let mut folders = vec![page.to_owned()];
    let mut names = Vec::new();
    let mut bytes = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("readable") {
            let entry = entry.expect("readable");
            if entry.file_type().expect("known").is_dir() {
                folders.push(entry.path());
            } else {
                bytes += entry.metadata().expect("known").len();
                names.push(entry.path().strip_prefix(page).expect("within").to_string_lossy().into_owned());
            }
        }
    }
    println!("the page: {} files, {bytes} bytes", names.len());
    assert!(bytes < MOST, "{bytes} bytes");
    let worker = std::fs::read_to_string(page.join("worker.js")).expect("the worker");
    assert!(!worker.contains("@VERSION@") && !worker.contains("@FILES@"), "{worker}");
    let kept = |name: &String| worker.contains(&format!("\"./{name}\""));
    for name in names.iter().filter(|name| !name.ends_with(".wasm") && *name != "worker.js") {
        assert!(kept(name), "{name} is not kept for when there is no network");
    }
}
