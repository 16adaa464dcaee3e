//! The firmware on a Cortex-M0, M4, M7 and M55: it reads the scripts of strokes as the app does on a PC, layer by layer, shows the
//! same, and fits its board.

use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::{Point, Size};
use embedded_graphics_simulator::SimulatorDisplay;
use object::{Object, ObjectSection, SectionKind};
use std::fs;
use std::path::{Path, PathBuf};
use tests::{commands, cross, device, nearest, strokes};

/// A build of the firmware.
struct Firmware {
    target: &'static str,
    /// Its processors, and QEMU's boards with them.
    boards: &'static [(&'static str, &'static str)],
    /// Its model, and whether it must be named for this target.
    model: fn() -> PathBuf,
    chosen: bool,
    /// Bytes of flash that it may take, and of RAM with the stack.
    most: [u64; 2],
}

const FIRMWARES: [Firmware; 4] = [
    Firmware {
        target: "thumbv7em-none-eabihf",
        boards: &[("M4", "mps2-an386"), ("M7", "mps2-an500")],
        model: commands::shipped,
        chosen: false,
        most: [1 << 20, 64 << 10],
    },
    Firmware {
        target: "thumbv8m.main-none-eabihf",
        boards: &[("M55", "mps3-an547")],
        model: commands::shipped,
        chosen: false,
        most: [1 << 20, 64 << 10],
    },
    Firmware {
        target: "thumbv7em-none-eabihf",
        boards: &[("M4", "mps2-an386")],
        model: commands::smallest,
        chosen: true,
        most: [1 << 20, 16 << 10],
    },
    Firmware {
        target: "thumbv6m-none-eabi",
        boards: &[("M0", "microbit")],
        model: commands::smallest,
        chosen: false,
        most: [256 << 10, 16 << 10],
    },
];

/// The firmware's display.
const DISPLAY: Size = Size::new(128, 64);

/// What the app shows on a PC: a line for each script, and the display at the end of the last one as a plain PBM.
fn expected(image: &[u8]) -> (String, String) {
    let (mut lines, mut last) = (String::new(), String::new());
    for (name, script) in strokes::scripts() {
        let mut display = SimulatorDisplay::new(DISPLAY);
        let replayed = strokes::replay(image, &script, &mut display);
        lines += &format!("{name}: {}\n", replayed.line);
        last = picture(&display);
    }
    (lines, last)
}

fn picture(display: &SimulatorDisplay<BinaryColor>) -> String {
    let bit = |x: u32, y: u32| {
        char::from(b'0' + u8::from(display.get_pixel(Point::new(x as i32, y as i32)).is_on()))
    };
    let rows =
        (0..DISPLAY.height).map(|y| (0..DISPLAY.width).map(|x| bit(x, y)).chain(['\n']).collect::<String>());
    format!("P1\n{} {}\n{}", DISPLAY.width, DISPLAY.height, rows.collect::<String>())
}

/// Bytes of flash and of static RAM that a program takes.
fn sizes(program: &Path) -> [u64; 2] {
    let file = fs::read(program).expect("the program was built");
    let file = object::File::parse(file.as_slice()).expect("an ELF file");
    let sum = |kinds: &[SectionKind]| {
        let sections = file.sections().filter(|section| kinds.contains(&section.kind()));
        sections.map(|section| section.size()).sum()
    };
    use SectionKind::{Data, ReadOnlyData, ReadOnlyString, Text, UninitializedData};
    // What is in RAM from the beginning lies in flash until then.
    [sum(&[Text, ReadOnlyData, ReadOnlyString, Data]), sum(&[Data, UninitializedData])]
}

/// What the plugin counted.
struct Counts {
    inference: u64,
    whole_display: u64,
    /// Of each reading of the sheet: pre-processing with inference, and what is drawn after it.
    readings: Vec<u64>,
    updates: Vec<u64>,
}

impl Counts {
    fn new(counts: &[u64]) -> Self {
        let (&inference, steps) = counts.split_first().expect("an inference");
        let (steps, rest): (&[[u64; 3]], _) = steps.as_chunks();
        assert!(rest.is_empty() && inference > 100_000, "{counts:?}");
        // A step without ink reads nothing.
        let read = || steps.iter().filter(|[_, reading, _]| *reading > inference);
        let [readings, updates] = [1, 2].map(|index| {
            let mut counts: Vec<u64> = read().map(|step| step[index]).collect();
            counts.sort_unstable();
            counts
        });
        Self { inference, whole_display: steps[0][0], readings, updates }
    }

    /// Of the table in `firmware-sim/README.md`.
    fn columns(&self) -> String {
        let median = |counts: &[u64]| counts[counts.len() / 2] as f64;
        let most = self.updates[self.updates.len() - 1];
        format!(
            "{:.2} M | {:.2} M | {:.3} M | {:.3} M | {:.3} M |",
            self.inference as f64 / 1e6,
            median(&self.readings) / 1e6,
            median(&self.updates) / 1e6,
            most as f64 / 1e6,
            self.whole_display as f64 / 1e6,
        )
    }
}

#[test]
fn it_reads_shows_and_fits() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let plugin = cross::counter(folder);
    for firmware in FIRMWARES.iter().filter(|firmware| device::available(firmware.target)) {
        let image = fs::read((firmware.model)()).expect("a shipped image");
        let (lines, last) = expected(&image);
        let chosen = firmware.chosen.then_some((firmware.model)());
        let program = device::firmware(firmware.target, folder, chosen.as_deref());
        let [flash, ram] = sizes(&program);
        assert!(flash > image.len() as u64, "{flash}: the image of {} bytes is in it", image.len());
        for (processor, board) in firmware.boards {
            let run = device::run(board, &program, plugin.as_deref());
            let text = String::from_utf8_lossy(&run.stdout);
            assert!(run.status.success(), "{board}: {text}");
            let rest =
                text.strip_prefix(&lines).unwrap_or_else(|| panic!("{board}: {text}expected: {lines}"));
            let (bytes, shown) = rest.split_at(rest.find("P1").expect("a picture"));
            assert!(shown == last, "{board}: {shown}expected: {last}");
            let stack = stack(bytes, ram);
            let [most_flash, most_ram] = firmware.most;
            assert!(flash <= most_flash && ram + stack <= most_ram, "{board}: {flash} {ram} {stack}");
            let columns = plugin.as_ref().map(|_| Counts::new(&device::numbers(&run)).columns());
            println!("| {processor} | {flash} | {ram} | {stack} | {}", columns.unwrap_or_default());
        }
    }
}

/// With a model of coloured pictures and other classes than digits inside, where there is flash for them.
#[test]
fn it_reads_with_a_model_of_pictures() {
    let target = "thumbv7em-none-eabihf";
    if !device::available(target) {
        return;
    }
    let classes = [("white paper", [255; 3]), ("some ink", [215; 3]), ("ink", [0; 3])];
    let classes = classes.map(|(name, colour)| (name.to_owned(), colour.to_vec()));
    let image = nearest::image(&classes, [24, 32]);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let model = folder.join("papers.edge8");
    fs::write(&model, &image).expect("written");
    let (lines, last) = expected(&image);
    let program = device::firmware(target, folder, Some(&model));
    let run = device::run("mps2-an386", &program, None);
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{text}");
    assert!(lines.contains(": white paper, ") && lines.contains(": some ink, "), "{lines}");
    assert!(text.starts_with(&lines) && text.ends_with(&last), "{text}expected: {lines}{last}");
}

/// The bytes of stack that a program says it took; it also says how much static RAM it has.
fn stack(text: &str, ram: u64) -> u64 {
    let (stack, rest) = text.split_once(" bytes\n").expect("two lines");
    assert_eq!(rest, format!("static RAM: {ram} bytes\n"));
    stack.strip_prefix("stack: ").and_then(|number| number.parse().ok()).expect("a number")
}
