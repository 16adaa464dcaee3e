//! What the readers keep to, whatever a file holds. The fuzz targets and the replay of their corpus share it.

use crate::allocation::{Usage, measure};
use crate::bytes;
use crate::exercise::exercise;
use edge8::Framing;
use edge8_preprocess::digit::{self, Workspace, workspace_len};
use edge8_preprocess::{Picture, PictureError};
use files::OwnedPicture;
use quantizer::image::{self, Extras};
use quantizer::quantize::{Range, quantise};
use quantizer::{onnx, tflite};

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

/// Reads bytes as a float ONNX file, makes int8 and a model image of it and uses that.
///
/// What constants computed from constants take is bounded, but not by the file's length alone; a fuzzer's limits hold for it.
///
/// # Errors
/// Why the file is refused, as a user is told.
///
/// # Panics
/// If the runtime refuses the image.
pub fn onnx(bytes: &[u8]) -> Result<(), String> {
    let image = image_of_onnx(bytes).map_err(|error| format!("{error:#}"))?;
    exercise(&image).expect("the image just made");
    Ok(())
}

fn image_of_onnx(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    // Files with weights are looked for beside the file: there are none.
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("x"), bytes)?;
    let graph = onnx::read(&folder.path().join("x"))?.graph;
    let network = quantise(&graph, &vec![Range { min: -1.0, max: 1.0 }; graph.tensors().len()])?;
    image::write(&network, &Extras::default())
}

/// Decodes bytes as a PNG, JPEG, WebP or BMP file and frames what is on the picture.
///
/// # Errors
/// Why the file is refused, or that nothing is on the picture.
///
/// # Panics
/// As [`framed`].
pub fn picture(bytes: &[u8]) -> Result<(), String> {
    let picture = OwnedPicture::decode(bytes, 1).map_err(|error| format!("{error:#}"))?;
    let picture = picture.picture().map_err(|error| error.to_string())?;
    framed(&picture, Framing::mnist(32)).map_err(|error| error.to_string())
}

/// Frames a picture of any size and pixels: the first two bytes are its width, the next two the sides of the framing,
/// then come its pixels.
///
/// # Errors
/// Why there is no such picture, or that nothing is on it.
///
/// # Panics
/// As [`framed`].
pub fn frame(bytes: &[u8]) -> Result<(), String> {
    let (&[low, high, side, digit], pixels) = bytes.split_first_chunk().ok_or("four bytes are the least")?;
    let width = usize::from(u16::from_le_bytes([low, high]));
    let height = pixels.len().checked_div(width).unwrap_or(0);
    let picture =
        Picture::new(width, height, &pixels[..width * height]).map_err(|error| error.to_string())?;
    let (side, digit) = (u16::from(side), u16::from(digit));
    if !(1..=side).contains(&digit) {
        return Err(format!("no framing: {digit} of {side}"));
    }
    framed(&picture, Framing { side, digit }).map_err(|error| error.to_string())
}

/// Frames a picture in the least workspace that it may have, and in one for any picture.
///
/// # Errors
/// As [`digit::frame`].
///
/// # Panics
/// If the bits differ, or if there is no white ink in the input of the network.
fn framed(picture: &Picture<'_>, framing: Framing) -> Result<(), PictureError> {
    let mut output = vec![0; usize::from(framing.side) * usize::from(framing.side)];
    let mut again = output.clone();
    let mut least = vec![0xa5; workspace_len(picture.width(), picture.height())];
    let result = digit::frame(picture, framing, &mut least, &mut output);
    assert_eq!(digit::frame(picture, framing, Workspace::new().bytes(), &mut again), result);
    result?;
    assert_eq!(output, again, "other bits in another workspace");
    assert!(output.contains(&255), "no white ink");
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
