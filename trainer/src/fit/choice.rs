//! What a run is to be, where the user does not say: it follows from how many pictures there are.
//!
//! Every choice was made on validation splits: of MNIST for large sets of digits, of letters, scenes and meters for others.

use anyhow::Result;
use edge8::Preparation;
use files::Order;
use mobilenet::{Architecture, DEFAULT_HIDDEN, Preprocessing};

use super::init::Init;
use super::recipe::Recipe;
use super::teacher::Teacher;

/// From so many pictures on a set is large: the network may have a head of its own to fit, a batch is large, and passes over the
/// pictures count, not steps.
const LARGE: usize = 10_000;

/// Steps of a run on a small set that begins with a network of the same classes, and its learning rate.
const ADAPTATION_STEPS: usize = 500;
const ADAPTATION_RATE: f64 = 3e-4;

/// Steps of a run on a small set that begins with a network of other classes.
const TRANSFER_STEPS: usize = 1500;

/// Steps of an epoch, at least: evaluations of small sets are not to take more time than the training.
const EPOCH_STEPS: usize = 100;

/// Steps of a run on a small set.
const STEPS: usize = 4000;

/// Passes over a large set, or epochs at least.
const EPOCHS: usize = 20;

/// Passes over a large set, or epochs at least, of a network that begins as another one.
const TRANSFER_EPOCHS: usize = 5;

/// Learning rate of a network that begins with one of other classes.
const TRANSFER_RATE: f64 = 1e-3;

/// Learning rate for a batch of 32 or more; smaller ones go by the root of their size.
const LEARNING_RATE: f64 = 3e-3;

/// What is asked for, of all that decides the result.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// The network that training begins with, and how it is built.
    pub init: Option<(Init, Architecture)>,
    /// The network that teaches.
    pub teacher: Option<Teacher>,
    /// Share of the first network's weights in the result.
    pub keep: Option<f64>,
    /// Epochs without a better one after which training ends.
    pub patience: Option<usize>,
    /// Epochs.
    pub epochs: Option<usize>,
    /// Pictures for one step.
    pub batch_size: Option<usize>,
    /// Highest learning rate.
    pub learning_rate: Option<f64>,
    /// Decides first weights, order, augmentation and dropout.
    pub seed: u64,
    /// Width multiplier of the channels.
    pub alpha: Option<f64>,
    /// Stride of the first convolution.
    pub stem_stride: Option<usize>,
    /// Channels of the last convolution.
    pub last_channels: Option<usize>,
    /// Units of the hidden layer, 0 for none.
    pub hidden: Option<usize>,
    /// Share that is left out before the classes.
    pub dropout: Option<f64>,
    /// Share of each class that all get.
    pub smoothing: Option<f64>,
    /// Pictures of no class besides, as part of a batch.
    pub outliers: Option<f64>,
    /// Whether pictures are taken as they are.
    pub no_augment: bool,
    /// Whether only the shape tells the class.
    pub recolour: bool,
    /// Whether groups are kept together.
    pub groups: bool,
    /// How the classes follow one another.
    pub order: Option<Order>,
}

impl Recipe {
    /// The recipe for a set with so many training pictures of each class, prepared in some way.
    ///
    /// # Errors
    /// Names the value outside its range.
    pub fn choose(
        wishes: &Wishes,
        preparation: &Preparation,
        classes: Vec<String>,
        counts: &[usize],
    ) -> Result<Self> {
        let pictures: usize = counts.iter().sum();
        let large = pictures >= LARGE;
        let digits = matches!(preparation, Preparation::Digit(_));
        let batch_size = wishes.batch_size.unwrap_or(if large { 128 } else { (pictures / 4).clamp(4, 32) });
        let (init, base) = wishes.init.as_ref().map(|(init, base)| (init, base)).unzip();
        let default_hidden = base.map_or((large && digits).then_some(DEFAULT_HIDDEN), |base| base.hidden);
        let hidden = wishes.hidden.map_or(default_hidden, |units| (units > 0).then_some(units));
        let shape = preparation.shape();
        let input = [shape.height.into(), shape.width.into()];
        // A larger input has the details of a smaller one after its first convolution.
        let default_stride = if input.into_iter().max() > Some(48) { 2 } else { 1 };
        let stem_stride = wishes.stem_stride.unwrap_or(base.map_or(default_stride, |base| base.stem_stride));
        let alpha = wishes.alpha.unwrap_or(base.map_or(0.35, |base| base.alpha));
        let architecture = Architecture::new(alpha, input, stem_stride, classes)?
            .with_channels(shape.channels.into())?
            .with_hidden(hidden)?
            .with_last_channels(wishes.last_channels.or(base.and_then(|base| base.last_channels)))?;
        let pass = (pictures / batch_size.max(1)).max(1);
        let passes = EPOCH_STEPS.div_ceil(pass);
        let knows =
            base.is_some_and(|base| architecture.classes.iter().all(|class| base.classes.contains(class)));
        let (steps, rate) = match init {
            None => (STEPS, LEARNING_RATE),
            Some(_) if knows => (ADAPTATION_STEPS, ADAPTATION_RATE),
            Some(_) => (TRANSFER_STEPS, TRANSFER_RATE),
        };
        let init = init.map(|init| {
            let keep = wishes.keep.unwrap_or(if knows { 0.5 } else { 0.0 });
            Init { keep, ..init.clone() }
        });
        let least = if init.is_some() { TRANSFER_EPOCHS } else { EPOCHS };
        let epochs = if large { least } else { steps.div_ceil(passes * pass).max(least) };
        let uneven = counts.iter().max() > counts.iter().min().map(|least| 2 * least).as_ref();
        let recipe = Self {
            preprocessing: Preprocessing::new(*preparation),
            architecture,
            init,
            teacher: wishes.teacher.clone(),
            epochs: wishes.epochs.unwrap_or(epochs),
            passes,
            patience: wishes.patience,
            batch_size,
            learning_rate: wishes.learning_rate.unwrap_or_else(|| for_batch(rate, batch_size)),
            weight_decay: 0.02,
            seed: wishes.seed,
            augment: !wishes.no_augment,
            recolour: wishes.recolour,
            dropout: wishes.dropout.unwrap_or(if hidden.is_some() { 0.5 } else { 0.2 }),
            smoothing: wishes.smoothing.unwrap_or(if digits { 0.0 } else { 0.1 }),
            outliers: wishes.outliers.unwrap_or(0.0),
            balance: uneven && !digits,
            groups: wishes.groups,
            order: wishes.order,
        };
        recipe.check()?;
        Ok(recipe)
    }
}

/// The learning rate for a batch, in two digits: people read it.
fn for_batch(rate: f64, batch_size: usize) -> f64 {
    let rate = rate * (batch_size as f64 / 32.0).sqrt().min(1.0);
    (rate * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge8::{Framing, Sizing};

    fn chosen(preparation: Preparation, counts: &[usize]) -> Recipe {
        let classes = (0..counts.len()).map(|class| class.to_string()).collect();
        Recipe::choose(&Wishes { seed: 1, ..Wishes::default() }, &preparation, classes, counts).unwrap()
    }

    #[test]
    fn mnist_gets_what_its_networks_were_trained_with() {
        let recipe = chosen(Preparation::Digit(Framing::mnist(32)), &[5500; 10]);
        assert_eq!(
            recipe.command(),
            "trainer fit --recipe digit --epochs 20 --batch-size 128 --lr 0.003 --seed 1 --alpha 0.35 --input-size 32 --stem-stride 1 \
             --hidden 128 --dropout 0.5 --smoothing 0 --outliers 0"
        );
    }

    #[test]
    fn small_sets_get_steps_enough_and_a_small_head() {
        for count in [5, 20, 80, 300] {
            let recipe = chosen(Preparation::Picture(Sizing::stretch([96, 96], 3)), &[count; 4]);
            let steps = recipe.epochs * recipe.passes * (4 * count / recipe.batch_size);
            assert!(steps >= STEPS, "{steps} steps for 4 times {count}");
            assert_eq!((recipe.architecture.hidden, recipe.architecture.stem_stride), (None, 2));
            assert!(!recipe.balance && recipe.batch_size <= 4 * count);
        }
        assert!(chosen(Preparation::Picture(Sizing::stretch([20, 32], 1)), &[100, 40]).balance);
    }
}
