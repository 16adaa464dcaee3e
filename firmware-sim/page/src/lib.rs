//! The device app in a browser: the functions that `static/device.js` calls.
//!
//! All memory is static, and there is one device: the model goes to [`image`], [`start`] is called once, and then the rest.
//! Before it, and after a [`start`] that has failed, that returns 0 or null. `build` makes the page.

#![cfg(target_family = "wasm")]
#![no_std]

mod device;
mod screen;

use device::{Device, MEMORY, Status, TEXT_OR_PIXELS};
use edge8::section;
use firmware_sim::Event;
use firmware_sim::reader::Verdict;
use spin::{Mutex, MutexGuard};

/// The device, once it is started.
static DEVICE: Mutex<Option<Device>> = Mutex::new(None);

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// What a function says of the device; the default before [`start`].
fn device<R: Default>(say: impl FnOnce(&mut Device) -> R) -> R {
    DEVICE.lock().as_mut().map(say).unwrap_or_default()
}

/// Where the model image goes before the start: [`image_len`] bytes.
#[unsafe(no_mangle)]
extern "C" fn image() -> *mut u8 {
    MEMORY.try_lock().map_or(core::ptr::null_mut(), |mut memory| memory.image.bytes().as_mut_ptr())
}

/// Starts the device with a display of this size in pixels; a [`Status`].
#[unsafe(no_mangle)]
extern "C" fn start(width: u32, height: u32) -> Status {
    let Some(memory) = MEMORY.try_lock() else { return Status::Started };
    // Nobody else gets it: it stays locked.
    match Device::new(MutexGuard::leak(memory), width, height) {
        Ok(device) => {
            *DEVICE.lock() = Some(device);
            Status::Ready
        }
        Err(status) => status,
    }
}

/// The display, RGBA bytes row by row.
#[unsafe(no_mangle)]
extern "C" fn pixels() -> *const u8 {
    DEVICE.lock().as_ref().map_or(core::ptr::null(), |device| device.screen.pixels().as_ptr())
}

/// Where [`replay`] finds its text, [`read`] its picture and [`name`] writes: [`buffer_len`] bytes.
#[unsafe(no_mangle)]
extern "C" fn buffer() -> *mut u8 {
    DEVICE.lock().as_mut().map_or(core::ptr::null_mut(), |device| device.buffer.as_mut_ptr())
}

/// Bytes of [`buffer`].
#[unsafe(no_mangle)]
extern "C" fn buffer_len() -> usize {
    TEXT_OR_PIXELS
}

/// The pen, finger or pointer touches this pixel of the display, which may lie beyond its edges, or moves there.
#[unsafe(no_mangle)]
extern "C" fn touch(x: i32, y: i32) {
    device(|device| device.push(Event::Touch(embedded_graphics::prelude::Point::new(x, y))));
}

/// It is lifted.
#[unsafe(no_mangle)]
extern "C" fn lift() {
    device(|device| device.push(Event::Lift));
}

/// An empty sheet.
#[unsafe(no_mangle)]
extern "C" fn clear() {
    device(|device| device.push(Event::Clear));
}

/// Does what the event `index` of a script of strokes says; whether there is one. The script is in the first `len` bytes of
/// [`buffer`].
#[unsafe(no_mangle)]
extern "C" fn replay(len: usize, index: usize) -> bool {
    device(|device| device.replay(len, index))
}

/// Takes all in that was done since the last step, reads the sheet and draws; whether the display has changed.
#[unsafe(no_mangle)]
extern "C" fn step() -> bool {
    device(Device::step)
}

/// Reads a picture of as many bytes a pixel as [`channels`], from the begin of [`buffer`] on; `false` if those are none or too
/// many.
#[unsafe(no_mangle)]
extern "C" fn read(width: usize, height: usize) -> bool {
    device(|device| device.read(width, height))
}

/// How many classes there are.
#[unsafe(no_mangle)]
extern "C" fn classes() -> usize {
    device(|device| device.app.reader().classes())
}

/// The name of a class, as UTF-8 in [`buffer`]; its bytes.
#[unsafe(no_mangle)]
extern "C" fn name(class: usize) -> usize {
    device(|device| device.name(class))
}

/// Whether the classes are digits, or other signs that are found and framed as they are.
#[unsafe(no_mangle)]
extern "C" fn reads_digits() -> bool {
    device(|device| device.app.reader().reads_digits())
}

/// Bytes of a pixel, of pictures as of what the network saw: 1 is grey, 3 are red, green and blue.
#[unsafe(no_mangle)]
extern "C" fn channels() -> u32 {
    device(|device| device.app.reader().shape().channels.into())
}

/// What was read: the class; one more than the last is none of them, two more nothing.
#[unsafe(no_mangle)]
extern "C" fn verdict() -> u32 {
    device(|device| match device.app.verdict() {
        Verdict::Class(class) => class.into(),
        Verdict::Reject => device.app.reader().classes() as u32,
        Verdict::Blank => device.app.reader().classes() as u32 + 1,
    })
}

/// The probability of a class, of 256.
#[unsafe(no_mangle)]
extern "C" fn probability(class: usize) -> u32 {
    device(|device| device.app.reader().probabilities().nth(class).unwrap_or(0).into())
}

/// Columns of what the network saw.
#[unsafe(no_mangle)]
extern "C" fn seen_width() -> u32 {
    device(|device| device.app.reader().shape().width.into())
}

/// Rows of what the network saw.
#[unsafe(no_mangle)]
extern "C" fn seen_height() -> u32 {
    device(|device| device.app.reader().shape().height.into())
}

/// What the network saw, row by row, [`channels`] bytes a pixel.
#[unsafe(no_mangle)]
extern "C" fn seen() -> *const u8 {
    DEVICE.lock().as_mut().map_or(core::ptr::null(), |device| device.seen().as_ptr())
}

/// Microseconds of the latest reading, pre-processing included.
#[unsafe(no_mangle)]
extern "C" fn reading_micros() -> u32 {
    device(|device| device.app.micros())
}

/// The CRC-32 of all layers of the latest reading.
#[unsafe(no_mangle)]
extern "C" fn hash_of_layers() -> u32 {
    device(|device| device.app.hash_of_layers())
}

/// Bytes of the whole model image.
#[unsafe(no_mangle)]
extern "C" fn image_len() -> usize {
    device::IMAGE_LEN
}

/// Bytes of the image's operators.
#[unsafe(no_mangle)]
extern "C" fn operators_len() -> usize {
    device(|device| device.section_len(section::OPERATORS))
}

/// Bytes of the image's weights.
#[unsafe(no_mangle)]
extern "C" fn weights_len() -> usize {
    device(|device| device.section_len(section::WEIGHTS))
}

/// Bytes of the image's test vectors.
#[unsafe(no_mangle)]
extern "C" fn test_vectors_len() -> usize {
    device(|device| device.section_len(section::TEST_VECTORS))
}

/// Bytes of the arena, which pre-processing works in, too.
#[unsafe(no_mangle)]
extern "C" fn arena_len() -> usize {
    device(|device| device.arena_len())
}

/// Bytes of the network's input.
#[unsafe(no_mangle)]
extern "C" fn input_len() -> usize {
    device::INPUT_LEN
}

/// Bytes of the app, the sheet among them.
#[unsafe(no_mangle)]
extern "C" fn app_len() -> usize {
    firmware_sim::App::LEN
}
