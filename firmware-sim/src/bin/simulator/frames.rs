//! What a display showed, as files.

use anyhow::{Context, Result};
use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, RgbImage, buffer::ConvertBuffer};
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a frame of the animation is seen.
const FRAME: Duration = Duration::from_millis(40);

/// How long the last one is.
const LAST: Duration = Duration::from_millis(2000);

/// A folder of frames, and an animation of them all.
pub struct Frames {
    folder: PathBuf,
    frames: Vec<RgbImage>,
}

impl Frames {
    pub fn new(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Ok(Self { folder: folder.into(), frames: Vec::new() })
    }

    pub fn add(&mut self, frame: RgbImage) -> Result<()> {
        let mut png = Cursor::new(Vec::new());
        frame.write_to(&mut png, image::ImageFormat::Png)?;
        files::write(&self.path(self.frames.len()), &png.into_inner())?;
        self.frames.push(frame);
        Ok(())
    }

    fn path(&self, index: usize) -> PathBuf {
        self.folder.join(format!("frame_{index:04}.png"))
    }

    /// Writes the animation, and removes the frames that a longer one left; the number of frames.
    pub fn finish(self) -> Result<usize> {
        let count = self.frames.len();
        let _ = (count..).try_for_each(|index| fs::remove_file(self.path(index)));
        let mut gif = Vec::new();
        let mut encoder = GifEncoder::new_with_speed(&mut gif, 10);
        encoder.set_repeat(Repeat::Infinite)?;
        for (index, frame) in self.frames.iter().enumerate() {
            let time = if index + 1 == count { LAST } else { FRAME };
            let delay = Delay::from_saturating_duration(time);
            encoder.encode_frame(Frame::from_parts(frame.convert(), 0, 0, delay))?;
        }
        // It writes the end of the file when it goes.
        drop(encoder);
        files::write(&self.folder.join("animation.gif"), &gif)?;
        Ok(count)
    }
}
