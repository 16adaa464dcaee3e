//! Files that edge8's commands share: read with an upper limit, written so that a reader never sees half of one.

mod dataset;
mod file;
mod folder;
mod idx;
mod picture;

pub use dataset::{Dataset, hex, load_test, load_train};
pub use file::{MAX_LENGTH, read, read_picture, write};
pub use folder::data_folder;
pub use idx::read as read_unpacked;
pub use picture::GreyPicture;
