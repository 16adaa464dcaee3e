//! The app on each display: what it reads, and what it shows beside reference frames.
//!
//! `EDGE8_UPDATE_FRAMES=1` makes the reference frames anew: look at them before they are committed.

use edge8::Model;
use edge8_preprocess::Picture;
use embedded_graphics::pixelcolor::{BinaryColor, Rgb565, Rgb888};
use embedded_graphics::prelude::{Point, Size};
use embedded_graphics_simulator::{OutputSettings, SimulatorDisplay};
use firmware_sim::canvas::Canvas;
use firmware_sim::reader::{Memory, Reader, Refused, Verdict, WORKSPACE_LEN};
use firmware_sim::script::{Script, check};
use firmware_sim::{App, Board, Event, Theme};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

const IMAGE: &[u8] = include_bytes!("../../runtime/models/mnist.edge8");

const OLED: Size = Size::new(128, 64);

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn script(name: &str) -> String {
    std::fs::read_to_string(folder("strokes").join(name).with_extension("txt")).unwrap()
}

/// Events that all come at once, and a clock that goes on by the same time whenever it is asked.
#[derive(Default)]
struct Hand {
    events: VecDeque<Event>,
    micros: u32,
}

impl Board for Hand {
    fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    fn micros(&mut self) -> u32 {
        self.micros += 1500;
        self.micros
    }
}

/// Hands the app on some display to a function.
fn with_app<R>(size: Size, run: impl FnOnce(&mut App<'_>) -> R) -> R {
    let model = Model::parse(IMAGE).unwrap();
    let mut arena = vec![0; model.arena_len().max(WORKSPACE_LEN)];
    let mut input = vec![0; model.input().shape.len()];
    let mut output = vec![0; model.output_len()];
    let memory = Memory { arena: &mut arena, input: &mut input, output: &mut output };
    let mut canvas = Canvas::new();
    run(&mut App::new(Reader::new(model, memory).unwrap(), &mut canvas, size).unwrap())
}

/// What a display shows after a script.
fn shown<C>(size: Size, script: &str) -> SimulatorDisplay<C>
where
    C: Theme + From<BinaryColor>,
{
    let mut display = SimulatorDisplay::new(size);
    let mut hand = Hand { events: Script::new(script).collect(), ..Hand::default() };
    with_app(size, |app| app.step(&mut hand, &mut display)).unwrap();
    display
}

#[test]
fn ten_digits_are_read_and_scribbles_are_none() {
    let read = |name: &str| {
        let text = script(name);
        assert_eq!(check(&text), None, "{name}");
        let mut hand = Hand { events: Script::new(&text).collect(), ..Hand::default() };
        let mut display = SimulatorDisplay::<BinaryColor>::new(OLED);
        with_app(OLED, |app| {
            app.step(&mut hand, &mut display).unwrap();
            app.verdict()
        })
    };
    for digit in 0..10 {
        assert_eq!(read(&digit.to_string()), Verdict::Class(digit));
    }
    // The second one, a round curl, it takes for a 0.
    for scribble in [1, 3] {
        assert_eq!(read(&format!("scribble_{scribble}")), Verdict::Reject);
    }
}

/// Compares a display with its reference frame.
fn compare<C>(display: &SimulatorDisplay<C>, name: &str)
where
    C: Theme + Into<Rgb888> + From<Rgb888>,
{
    let path = folder("frames").join(name).with_extension("png");
    if std::env::var_os("EDGE8_UPDATE_FRAMES").is_some() {
        return display.to_rgb_output_image(&OutputSettings::default()).save_png(&path).unwrap();
    }
    let reference = SimulatorDisplay::<C>::load_png(&path).unwrap();
    assert!(display.diff(&reference).is_none(), "{name} is not as {}", path.display());
}

fn compare_all<C>(size: Size)
where
    C: Theme + Into<Rgb888> + From<Rgb888> + From<BinaryColor>,
{
    let Size { width, height } = size;
    let scripts = [
        ("blank", String::new()),
        ("digit", script("5")),
        ("seen", script("5") + "page\n"),
        ("reject", script("scribble_1")),
        ("nothing_seen", script("5") + "clear\npage\n"),
    ];
    for (name, script) in scripts {
        compare(&shown::<C>(size, &script), &format!("{width}x{height}_{name}"));
    }
}

#[test]
fn displays_show_what_the_reference_frames_do() {
    compare_all::<BinaryColor>(OLED);
    for (width, height) in [(160, 128), (240, 240), (320, 240)] {
        compare_all::<Rgb565>(Size::new(width, height));
    }
}

/// The end of a drawing shows the same, whether drawn event by event or at once.
#[test]
fn what_has_changed_is_all_that_is_drawn() {
    for text in [script("8"), script("3") + "page\nclear\n" + &script("2") + "page\n"] {
        let at_once = shown::<Rgb565>(Size::new(160, 128), &text);
        let mut display = SimulatorDisplay::<Rgb565>::new(Size::new(160, 128));
        let mut hand = Hand::default();
        with_app(Size::new(160, 128), |app| {
            app.step(&mut hand, &mut display).unwrap();
            for event in Script::new(&text) {
                hand.events.push_back(event);
                assert!(app.step(&mut hand, &mut display).unwrap() || event == Event::Lift);
            }
            assert!(!app.step(&mut hand, &mut display).unwrap(), "there is nothing new");
        });
        assert!(display.diff(&at_once).is_none());
    }
}

#[test]
fn the_displays_buttons_clear_and_turn_the_page() {
    let size = Size::new(240, 240);
    let mut display = SimulatorDisplay::<Rgb565>::new(size);
    with_app(size, |app| {
        let mut hand = Hand::default();
        let mut touch = |app: &mut App<'_>, points: &[Point]| {
            hand.events.extend(points.iter().map(|&point| Event::Touch(point)));
            hand.events.push_back(Event::Lift);
            app.step(&mut hand, &mut display).unwrap()
        };
        let (sheet, clear) = (app.layout().sheet.center(), app.layout().clear.center());
        assert!(touch(app, &[sheet, sheet + Point::new(0, 60)]));
        assert_ne!(app.verdict(), Verdict::Blank);
        // A touch that begins on a button is no stroke.
        assert!(touch(app, &[clear, sheet]));
        assert_eq!(app.verdict(), Verdict::Blank);
        assert!(!touch(app, &[Point::new(-5, -5), sheet]));
        assert!(touch(app, &[app.layout().page.center()]));
        // A stroke on what the network saw is one on the sheet again.
        assert!(touch(app, &[sheet, sheet + Point::new(0, 60)]));
        assert_ne!(app.verdict(), Verdict::Blank);
    });
}

/// A picture is read in the place of the sheet; with the sheet it is gone.
#[test]
fn a_picture_is_seen_until_the_page_is_turned() {
    let size = Size::new(160, 128);
    let mut display = SimulatorDisplay::<Rgb565>::new(size);
    with_app(size, |app| {
        let mut hand = Hand::default();
        let mut pixels = [250; 40 * 40];
        pixels.chunks_exact_mut(40).take(32).skip(8).for_each(|row| row[19..22].fill(10));
        app.read(&Picture::new(40, 40, &pixels).unwrap(), &mut hand);
        app.step(&mut hand, &mut display).unwrap();
        assert_eq!(app.verdict(), Verdict::Class(1));
        hand.events.push_back(Event::Page);
        app.step(&mut hand, &mut display).unwrap();
        assert_eq!(app.verdict(), Verdict::Blank);
        app.read(&Picture::new(40, 40, &[250; 40 * 40]).unwrap(), &mut hand);
        assert_eq!(app.verdict(), Verdict::Blank);
        assert!(app.reader().seen().all(|pixel| pixel == [0; 3]), "it has seen nothing");
    });
}

#[test]
fn too_little_memory_is_refused() {
    let model = Model::parse(IMAGE).unwrap();
    let refused = |[arena, input, output]: [usize; 3]| {
        let (mut arena, mut input, mut output) = (vec![0; arena], vec![0; input], vec![0; output]);
        let memory = Memory { arena: &mut arena, input: &mut input, output: &mut output };
        Reader::new(model, memory).map(drop)
    };
    let arena_len = model.arena_len().max(WORKSPACE_LEN);
    let memory = |name, expected| Err(Refused::Memory { name, expected, found: expected - 1 });
    assert_eq!(refused([arena_len, 1024, 10]), Ok(()));
    assert_eq!(refused([arena_len - 1, 1024, 10]), memory("arena", arena_len));
    assert_eq!(refused([arena_len, 1023, 10]), memory("input", 1024));
    assert_eq!(refused([arena_len, 1024, 9]), memory("output", 10));
}
