//! The device app with models of pictures of any kind: what it reads, and what the simulator says of it.

use edge8::Model;
use edge8_preprocess::Picture;
use embedded_graphics::pixelcolor::{BinaryColor, Rgb565};
use embedded_graphics::prelude::{Point, Size};
use embedded_graphics_simulator::SimulatorDisplay;
use firmware_sim::canvas::{Canvas, Spot};
use firmware_sim::reader::{Memory, Reader, Refused, Verdict, WORKSPACE_LEN};
use firmware_sim::{App, Board, Event, Theme};
use std::path::Path;
use tests::commands::run;
use tests::nearest;

/// Classes by their names and colours.
fn classes<const C: usize>(classes: &[(&str, [u8; C])]) -> Vec<(String, Vec<u8>)> {
    classes.iter().map(|(name, colour)| ((*name).to_owned(), colour.to_vec())).collect()
}

/// Three colours.
fn doors() -> Vec<(String, Vec<u8>)> {
    classes(&[("blaue Tür", [40, 60, 200]), ("green", [30, 160, 50]), ("white paper", [255, 255, 255])])
}

/// 26 colours, as far from each other as can be, under the names A to Z.
fn letters() -> Vec<(String, Vec<u8>)> {
    let level = |index: usize, unit: usize| (index / unit % 3 * 127) as u8;
    let colour = |index: usize| vec![level(index, 9), level(index, 3), level(index, 1)];
    (0..26).map(|index| (char::from(b'A' + index as u8).to_string(), colour(index))).collect()
}

/// Hands a reader of an image to a function.
fn with_reader<R>(image: &[u8], read: impl FnOnce(Reader<'_>) -> R) -> R {
    let model = Model::parse(image).expect("an image");
    let mut arena = vec![0; model.arena_len().max(WORKSPACE_LEN)];
    let (mut input, mut output) = (vec![0; model.input_len()], vec![0; model.output_len()]);
    let memory = Memory { arena: &mut arena, input: &mut input, output: &mut output };
    read(Reader::new(model, memory).expect("a model that can be used"))
}

/// A picture of one colour.
fn plain(colour: &[u8]) -> Vec<u8> {
    colour.repeat(30 * 20)
}

#[test]
fn coloured_pictures_are_named() {
    for classes in [doors(), letters()] {
        let image = nearest::image(&classes, [20, 28]);
        with_reader(&image, |mut reader| {
            assert_eq!(reader.classes(), classes.len());
            for (class, (name, colour)) in classes.iter().enumerate() {
                let pixels = plain(colour);
                let verdict = reader.read_picture(&Picture::rgb(30, 20, &pixels).expect("a picture"));
                assert_eq!(verdict, Verdict::Class(class as u16), "{name}");
                assert_eq!(reader.name(class).as_str(), name);
                assert_eq!(reader.likeliest().next(), Some((class, reader.probabilities().max().unwrap())));
                let is_seen =
                    |pixel: [u8; 3]| pixel.iter().zip(colour).all(|(&seen, &byte)| seen.abs_diff(byte) <= 1);
                assert!(reader.seen().all(is_seen), "{name}");
            }
            let order: Vec<(usize, u8)> = reader.likeliest().collect();
            assert_eq!(order.len(), classes.len());
            let falls = |pair: &[(usize, u8)]| (pair[1].1, pair[0].0) < (pair[0].1, pair[1].0);
            assert!(order.windows(2).all(falls), "{order:?}");
        });
    }
}

#[test]
fn the_sheet_is_dark_ink_on_white_paper() {
    let greys = classes(&[("", [255]), ("", [128]), ("", [0])]);
    with_reader(&nearest::image(&greys, [28, 14]), |mut reader| {
        let mut canvas = Canvas::new();
        assert_eq!(reader.read(&canvas), Verdict::Blank);
        assert!(reader.probabilities().all(|probability| probability == 0));
        let hash = reader.hash_of_layers();
        assert!(reader.probabilities().all(|probability| probability == 0), "a hash leaves no answer behind");
        let at = |x: i32, y: i32| Spot { x: x * Spot::UNIT, y: y * Spot::UNIT };
        canvas.stroke(at(10, 10), at(46, 10));
        assert_eq!(reader.read(&canvas), Verdict::Class(0));
        assert_ne!(reader.hash_of_layers(), hash);
        // Of the sheet a row in two and a column in four.
        let row =
            |row: usize| reader.seen().map(|[level, ..]| level).skip(14 * row).take(14).collect::<Vec<_>>();
        assert_eq!((row(5)[7], row(20)[7], row(5)[0]), (0, 254, 254), "black is -128, and the middle 127.5");
        for y in 0..56 {
            canvas.stroke(at(0, y), at(56, y));
        }
        assert_eq!(reader.read(&canvas), Verdict::Class(2));
        let names: Vec<String> = (0..3).map(|class| reader.name(class).as_str().to_owned()).collect();
        assert_eq!(names, ["0", "1", "2"]);
    });
}

#[test]
fn a_refusal_says_what_was_found_and_expected() {
    let text = |refused: Refused| refused.to_string();
    let memory = Refused::Memory { name: "output", expected: 26, found: 10 };
    assert_eq!(text(memory), "the output needs 26 bytes, found 10");
    let last = Refused::NoProbabilities { softmax: false, outputs: 10 };
    assert!(
        text(last).ends_with("over two classes or more, found another layer and 10 values"),
        "{}",
        text(last)
    );
}

/// A hand that does all at once, and a clock that stands still.
struct Hand(Vec<Event>);

impl Board for Hand {
    fn next_event(&mut self) -> Option<Event> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    fn micros(&mut self) -> u32 {
        0
    }
}

/// What is left on a display of earlier readings is nothing: drawn anew, all of it is the same.
fn nothing_is_left<C>(image: &[u8], size: Size)
where
    C: Theme + From<BinaryColor>,
{
    with_reader(image, |reader| {
        let mut canvas = Canvas::new();
        let mut app = App::new(reader, &mut canvas, size).expect("large enough");
        let mut display = SimulatorDisplay::<C>::new(size);
        let sheet = app.layout().sheet;
        for line in 0..8 {
            let end = |x| Event::Touch(sheet.top_left + Point::new(x, line * sheet.size.height as i32 / 8));
            let stroke = vec![end(0), end(sheet.size.width as i32 - 1), Event::Lift];
            let Ok(changed) = app.step(&mut Hand(stroke), &mut display);
            assert!(changed);
        }
        let shown = display.clone();
        let Ok(_) = app.step(&mut Hand(vec![Event::Page]), &mut display);
        assert!(display.diff(&shown).is_some(), "it is another page");
        let Ok(_) = app.step(&mut Hand(vec![Event::Page]), &mut display);
        assert!(display.diff(&shown).is_none(), "{size}");
    });
}

#[test]
fn rows_of_the_likeliest_classes_leave_nothing_of_others() {
    let greys: Vec<_> =
        (0..40u8).map(|level| (format!("grey of level {level}"), vec![255 - 6 * level])).collect();
    for image in [nearest::image(&letters(), [20, 28]), nearest::image(&greys, [96, 64])] {
        nothing_is_left::<BinaryColor>(&image, Size::new(128, 64));
        nothing_is_left::<Rgb565>(&image, Size::new(160, 128));
        nothing_is_left::<Rgb565>(&image, Size::new(320, 240));
    }
}

/// The simulator, as a user types it, with a model of coloured pictures in a file and pictures in others.
#[test]
fn the_simulator_names_what_pictures_show() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (model, out) = (path("doors.edge8"), path("out"));
    std::fs::write(&model, nearest::image(&doors(), [20, 28])).expect("written");
    let save = |name: &str, colour: [u8; 3]| {
        image::RgbImage::from_pixel(70, 50, image::Rgb(colour)).save(path(name)).expect("written");
        path(name)
    };
    let (door, tree) = (save("door.png", [40, 60, 200]), save("tree.png", [30, 160, 50]));
    let stroke = path("stroke.txt");
    std::fs::write(&stroke, "20,20 80,80\n").expect("written");

    let show = |more: &[&str]| run("firmware-sim", &[&["--model", &model][..], more].concat());
    let said = show(&["--picture", &door, &tree, "--script", &stroke]);
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{said:?}");
    for (line, begin) in lines.iter().zip(["stroke: white paper, ", "door: blaue Tür, ", "tree: green, "]) {
        assert!(line.starts_with(&format!("{begin}probability 0.")), "{line}");
    }
    for screen in ["oled-128x64", "320x240"] {
        let said = show(&["--picture", &door, "--screen", screen, "--layers", "--out", &out]);
        // The empty sheet, what the network saw, three layers.
        assert!(said.stdout.contains("\n5 frames and animation.gif in"), "{said:?}");
    }
    let shown = image::open(Path::new(&out).join("frame_0001.png")).expect("a frame").to_rgb8();
    // Twice as large as the display's pixels; a colour of the display has 5 or 6 bits.
    let pixel = shown.get_pixel(2 * 100, 2 * 100);
    assert!(pixel.0.iter().zip([40u8, 60, 200]).all(|(&shown, byte)| shown.abs_diff(byte) < 9), "{pixel:?}");

    let copy = path("copy");
    std::fs::create_dir(&copy).expect("made");
    let other = format!("{copy}/door.png");
    std::fs::copy(&tree, &other).expect("copied");
    show(&["--picture", &door, &other, "--out", &out]).assert_error(1, &["two files are called door"]);
    show(&["--picture", &model]).assert_error(1, &["doors.edge8", "not a picture"]);
    run("firmware-sim", &["--model", &model]).assert_error(2, &["--script", "--picture"]);
}
