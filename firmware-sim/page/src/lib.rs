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

/// Where [`replay`] finds its text and [`read`] its picture: [`buffer_len`] bytes.
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

/// Reads a grey picture, the first `width * height` bytes of [`buffer`]; `false` if those are none or too many.
#[unsafe(no_mangle)]
extern "C" fn read(width: usize, height: usize) -> bool {
    device(|device| device.read(width, height))
}

/// What was read: the digit; 10 = no digit, 11 = nothing.
#[unsafe(no_mangle)]
extern "C" fn verdict() -> u32 {
    device(|device| match device.app.verdict() {
        Verdict::Digit(digit) => digit.into(),
        Verdict::Reject => 10,
        Verdict::Blank => 11,
    })
}

/// The probability of a digit, of 256.
#[unsafe(no_mangle)]
extern "C" fn probability(digit: usize) -> u32 {
    device(|device| device.app.reader().probabilities().nth(digit).unwrap_or(0).into())
}

/// Rows and columns of what the network saw.
#[unsafe(no_mangle)]
extern "C" fn seen_side() -> usize {
    device(|device| device.app.reader().seen().0)
}

/// What the network saw, grey bytes row by row.
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
    device::ARENA_LEN
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
