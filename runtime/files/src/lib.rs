//! Files that edge8's commands share: read with an upper limit, written so that a reader never sees half of one.
//!
//! | module | subject |
//! | --- | --- |
//! | `file` | whole files in and out |
//! | `kind` | what a file is, by its first bytes |
//! | `unpack` | how much a packed file may become |
//! | `model_image` | model images, and the memory of a run |
//! | `picture`, `jpeg` | PNG and JPEG files, decoded |
//! | `pictures` | labelled pictures: MNIST's `idx` files, or a `folder` for each class |
//! | `dataset` | the same, prepared for a network's input |
//! | `survey` | how many pictures there are, how large, in which colours |
//! | `chance` | answers that are no better than guessing |
//! | `order` | classes that are numbers |
//! | `left_out` | pictures that cannot be read |
//! | `npz` | arrays, with the feature `npz` |

mod cache_aligned;
mod chance;
mod dataset;
mod file;
mod folder;
mod idx;
mod jpeg;
mod kind;
mod left_out;
mod model_image;
#[cfg(feature = "npz")]
pub mod npz;
mod order;
mod picture;
mod pictures;
mod survey;
mod unpack;

pub use cache_aligned::CacheAligned;
pub use chance::at_chance;
pub use dataset::{Dataset, hex, load_test, load_train};
pub use file::{MAX_LENGTH, check_output, read, write};
pub use folder::data_folder;
pub use idx::read as read_unpacked;
pub use kind::Kind;
pub use left_out::LeftOut;
pub use model_image::{ModelImage, arena};
pub use order::Order;
pub use picture::OwnedPicture;
pub use pictures::{Pictures, Set};
pub use survey::Survey;
