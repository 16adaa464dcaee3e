//! What the readers keep to, whatever a file holds. The fuzz targets and the replay of their corpus share it.

use crate::allocation::{Usage, measure};
use crate::bytes;
use crate::exercise::exercise;
use quantizer::{image, tflite};

/// Bytes that the way from a `.tflite` file of `len` bytes to a model image may take beside the file itself.
///
/// A byte of a constant can be used by two operators, in each as the weight of a channel of its own, whose scale, bias
/// and multiplier are there in the network, in the weights section and in the image: 65 bytes have been seen. An operator
/// takes some 28 bytes of the file and, with two layers of long names beside it, 2.5 KiB of memory; there are at most
/// 4096. The rest is for messages.
pub fn tflite_bound(len: usize) -> usize {
    72 * len + (128 * len).min(16 << 20) + (64 << 10)
}

/// Reads bytes as a `.tflite` file, makes its model image and uses that.
///
/// # Errors
/// Why the file is refused, as a user is told.
///
/// # Panics
/// If more memory is used than [`tflite_bound`] says, or the runtime refuses the image.
pub fn tflite(bytes: &[u8]) -> Result<(), String> {
    let (image, usage) = measure(|| {
        let import = tflite::read(bytes)?;
        image::write_sections(&import.network, &import.sections)
    });
    let bound = tflite_bound(bytes.len());
    assert!(usage.peak <= bound as isize, "{usage:?} for {} bytes: {bound} are the bound", bytes.len());
    let image = image.map_err(|error| format!("{error:#}"))?;
    exercise(&image).expect("the image just made");
    Ok(())
}

/// Reads bytes as a model image, as they are and with their length and checksum made right, and uses it.
///
/// # Errors
/// Why the image is refused although its length and checksum are right.
///
/// # Panics
/// If the reader or a run allocates.
pub fn image(bytes: &[u8]) -> Result<(), String> {
    let _ = use_image(bytes);
    let mut image = bytes.to_vec();
    if let Some(field) = image.get_mut(16..20) {
        field.copy_from_slice(&(bytes.len() as u32).to_le_bytes());
    }
    bytes::sign(&mut image);
    use_image(&image).map(drop).map_err(|error| error.to_string())
}

/// Uses an image; only the three buffers of a run may be allocated.
fn use_image(image: &[u8]) -> Result<usize, edge8::Error> {
    let (result, Usage { calls, .. }) = measure(|| exercise(image));
    assert!(calls == 0 || calls == 3 && result.is_ok(), "{calls} allocations, {result:?}");
    result
}
