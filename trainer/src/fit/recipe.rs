//! What decides the result of training, and the command that says it.

use anyhow::{Result, ensure};
use edge8::{Fit, Preparation};
use files::Order;
use mobilenet::{Architecture, Preprocessing};
use serde::{Deserialize, Serialize};

use super::init::Init;
use super::teacher::Teacher;

/// More epochs have no random numbers of their own.
const MOST_EPOCHS: usize = 1_000_000;

/// Everything that decides the result, besides the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// How pictures become its input.
    pub preprocessing: Preprocessing,
    /// How the network is built.
    pub architecture: Architecture,
    /// The network that training begins with, if it is not a random one.
    pub init: Option<Init>,
    /// The network that teaches, if there is one.
    #[serde(default)]
    pub teacher: Option<Teacher>,
    /// Epochs: after each the network is validated.
    pub epochs: usize,
    /// Passes over the training pictures in an epoch: small sets have several.
    pub passes: usize,
    /// Epochs without a better validation loss after which training ends; the best one's network is taken then.
    pub patience: Option<usize>,
    /// Pictures for one step.
    pub batch_size: usize,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// Decoupled weight decay of weights (not of biases and batch normalisation).
    pub weight_decay: f64,
    /// Decides first weights, order, augmentation and dropout.
    pub seed: u64,
    /// Whether pictures are changed at random.
    pub augment: bool,
    /// Whether pictures are also shown in other colours and inverted.
    pub recolour: bool,
    /// Share of the hidden layer, or without one of the pooled features, that is left out in each step.
    pub dropout: f64,
    /// Share of each picture's class that is given to all classes alike.
    pub smoothing: f64,
    /// Outliers that each batch has besides, as part of its size: pictures of no class, for the network to be in doubt about.
    #[serde(default)]
    pub outliers: f64,
    /// Whether each class counts the same, however many pictures it has.
    pub balance: bool,
    /// Whether the pictures of a group are all trained on, or all validated with.
    pub groups: bool,
    /// How the classes follow one another, if they are numbers: a picture's class is then also a little those beside it.
    #[serde(with = "stored_order")]
    pub order: Option<Order>,
}

impl Recipe {
    /// Checks the ranges: 1 to 1,000,000 epochs, patience and passes of 1 or more, at least 2 pictures in a batch, a learning
    /// rate above 0 and below 1, dropout, smoothing and keep from 0 to below 1, outliers and a teacher's weight from 0 to 1, a
    /// temperature of 1 to 100, and those of [`Architecture::new`].
    ///
    /// # Errors
    /// Names the value outside its range.
    pub fn check(&self) -> Result<()> {
        self.architecture.check()?;
        ensure!(
            (1..=MOST_EPOCHS).contains(&self.epochs),
            "{} epochs, expected 1 to {MOST_EPOCHS}",
            self.epochs
        );
        ensure!(self.passes > 0, "0 passes in an epoch, expected 1 or more");
        ensure!(self.patience != Some(0), "a patience of 0 epochs, expected 1 or more");
        let layers = self.architecture.blocks().len() + 1;
        let frozen = self.init.as_ref().map_or(0, |init| init.freeze);
        let kept = self.init.as_ref().map_or(0.0, |init| init.keep);
        ensure!(frozen <= layers, "{frozen} layers to freeze, expected at most {layers}");
        ensure!(self.batch_size >= 2, "a batch of {}: batch normalisation needs at least 2", self.batch_size);
        ensure!(
            self.learning_rate > 0.0 && self.learning_rate < 1.0,
            "the learning rate is {}, expected above 0 and below 1",
            self.learning_rate
        );
        for (name, share) in [("dropout", self.dropout), ("smoothing", self.smoothing), ("keep", kept)] {
            ensure!((0.0..1.0).contains(&share), "{name} is {share}, expected from 0 to below 1");
        }
        let (temperature, taught) =
            self.teacher.as_ref().map_or((1.0, 0.0), |teacher| (teacher.temperature, teacher.weight));
        for (name, share) in [("outliers", self.outliers), ("teacher's weight", taught)] {
            ensure!((0.0..=1.0).contains(&share), "{name} is {share}, expected from 0 to 1");
        }
        ensure!(
            (1.0..=100.0).contains(&temperature),
            "the temperature is {temperature}, expected from 1 to 100"
        );
        Ok(())
    }

    /// Outliers in each batch.
    pub(super) fn outliers(&self) -> usize {
        (self.outliers * self.batch_size as f64).round() as usize
    }

    /// The command that trains by this recipe, without data and output.
    pub fn command(&self) -> String {
        let given = self.options().into_iter().filter(|(_, value)| value.is_some());
        given.fold("trainer fit".to_owned(), |command, option| format!("{command} {}", typed(&option)))
    }

    /// The options that are not typed the same for another recipe: as they are here, and as they are there.
    pub fn differences(&self, other: &Self) -> (Vec<String>, Vec<String>) {
        let pairs = self.options().into_iter().zip(other.options()).filter(|(here, there)| here != there);
        pairs.map(|(here, there)| (typed(&here), typed(&there))).unzip()
    }

    fn options(&self) -> [TypedOption; 26] {
        let Architecture { alpha, stem_stride, last_channels, hidden, .. } = &self.architecture;
        let (init, teacher) = (self.init.as_ref(), self.teacher.as_ref());
        let order = self.order.map(|order| order.to_string());
        let (kind, colours, fit) = match self.preprocessing.preparation {
            Preparation::Digit(_) => ("digit", None, None),
            Preparation::Picture(sizing) => {
                let fit = match sizing.fit {
                    Fit::Stretch => "stretch",
                    Fit::Crop => "crop",
                    Fit::Letterbox => "letterbox",
                };
                ("picture", Some(if sizing.channels == 1 { "grey" } else { "rgb" }), Some(fit))
            }
        };
        [
            ("--recipe", Some(kind.to_owned())),
            ("--colours", colours.map(str::to_owned)),
            ("--fit", fit.map(str::to_owned)),
            ("--init", init.map(|init| init.file.clone())),
            ("--keep", init.map(|init| init.keep.to_string())),
            ("--freeze", init.filter(|init| init.freeze > 0).map(|init| init.freeze.to_string())),
            ("--teacher", teacher.map(|teacher| teacher.file.clone())),
            ("--temperature", teacher.map(|teacher| teacher.temperature.to_string())),
            ("--teacher-weight", teacher.map(|teacher| teacher.weight.to_string())),
            ("--epochs", Some(self.epochs.to_string())),
            ("--patience", self.patience.map(|epochs| epochs.to_string())),
            ("--batch-size", Some(self.batch_size.to_string())),
            ("--lr", Some(self.learning_rate.to_string())),
            ("--seed", Some(self.seed.to_string())),
            ("--alpha", Some(alpha.to_string())),
            ("--input-size", Some(self.architecture.input_size())),
            ("--stem-stride", Some(stem_stride.to_string())),
            ("--last-channels", last_channels.map(|channels| channels.to_string())),
            ("--hidden", Some(hidden.unwrap_or(0).to_string())),
            ("--dropout", Some(self.dropout.to_string())),
            ("--smoothing", Some(self.smoothing.to_string())),
            ("--outliers", Some(self.outliers.to_string())),
            ("--order", order),
            ("--groups", self.groups.then(String::new)),
            ("--recolour", self.recolour.then(String::new)),
            ("--no-augment", (!self.augment).then(String::new)),
        ]
    }
}

/// The order by its name.
mod stored_order {
    use files::Order;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(order: &Option<Order>, to: S) -> Result<S::Ok, S::Error> {
        order.map(|order| order.to_string()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Order>, D::Error> {
        let name = Option::<String>::deserialize(from)?;
        name.map(|name| name.parse().map_err(D::Error::custom)).transpose()
    }
}

/// An option's name and value: `None` if it is left out, empty if it has none.
type TypedOption = (&'static str, Option<String>);

fn typed((name, value): &TypedOption) -> String {
    match value.as_deref() {
        None => format!("no {name}"),
        Some("") => (*name).to_owned(),
        Some(value) => format!("{name} {value}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::Wishes;
    use edge8::{Framing, Preparation};

    fn recipe() -> Recipe {
        let preparation = Preparation::Digit(Framing::mnist(32));
        Recipe::choose(
            &Wishes { seed: 1, ..Wishes::default() },
            &preparation,
            vec![String::new(); 10],
            &[6000; 10],
        )
        .unwrap()
    }

    #[test]
    fn the_command_says_every_option() {
        let defaults = "trainer fit --recipe digit --epochs 20 --batch-size 128 --lr 0.003 --seed 1 --alpha 0.35 --input-size 32 \
                        --stem-stride 1 --hidden 128 --dropout 0.5 --smoothing 0 --outliers 0";
        assert_eq!(recipe().command(), defaults);
        let architecture = recipe().architecture.with_last_channels(Some(256)).unwrap();
        let other = Recipe { architecture, augment: false, ..recipe() };
        assert_eq!(
            other.command(),
            defaults.replace(" --hidden", " --last-channels 256 --hidden") + " --no-augment"
        );
    }

    #[test]
    fn differences_are_named_on_both_sides() {
        let other = Recipe { seed: 2, augment: false, ..recipe() };
        let (here, there) = recipe().differences(&other);
        assert_eq!(
            (here.join(" "), there.join(" ")),
            ("--seed 1 no --no-augment".into(), "--seed 2 --no-augment".into())
        );
        assert_eq!(recipe().differences(&recipe()), (vec![], vec![]));
    }

    #[test]
    fn values_outside_their_range_are_named() {
        let wrong = [
            (Recipe { epochs: 0, ..recipe() }, "0 epochs"),
            (Recipe { epochs: usize::MAX, ..recipe() }, "expected 1 to 1000000"),
            (Recipe { batch_size: 1, ..recipe() }, "a batch of 1"),
            (Recipe { learning_rate: f64::NAN, ..recipe() }, "NaN"),
        ];
        for (recipe, message) in wrong {
            let error = recipe.check().unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
