//! Changes of images, the same for all channels of an image and other ones for each image of a batch.

use wengert_autograd::tensor::{Generator, Tensor};

/// A change of a batch of images, \[images, …, rows, columns\]; what lies between (channels) is changed alike.
pub trait Transform: Send + Sync {
    /// Changes one image, given as planes of `rows` × `columns`, in place.
    fn apply_to_image(&self, image: &mut [f32], rows: usize, columns: usize, generator: &mut Generator);

    /// Changes every image of a batch.
    ///
    /// # Panics
    /// If the tensor has fewer than three axes.
    #[track_caller]
    fn apply(&self, mut images: Tensor<f32>, generator: &mut Generator) -> Tensor<f32> {
        let &[_, .., rows, columns] = images.shape() else {
            panic!("transform: expected [images, …, rows, columns], got {:?}", images.shape());
        };
        let size: usize = images.shape()[1..].iter().product();
        for image in images.make_mut().chunks_exact_mut(size.max(1)) {
            self.apply_to_image(image, rows, columns, &mut generator.split());
        }
        images
    }
}

/// Several changes, one after the other.
#[derive(Default)]
pub struct Compose {
    steps: Vec<Box<dyn Transform>>,
}

impl Compose {
    /// No change.
    pub fn new() -> Compose {
        Compose::default()
    }

    /// Adds a change after those there are.
    pub fn then(mut self, step: impl Transform + 'static) -> Compose {
        self.steps.push(Box::new(step));
        self
    }
}

impl Transform for Compose {
    fn apply_to_image(&self, image: &mut [f32], rows: usize, columns: usize, generator: &mut Generator) {
        self.steps.iter().for_each(|step| step.apply_to_image(image, rows, columns, &mut generator.split()));
    }
}

/// A number uniform between `low` and `high`.
fn uniform(low: f32, high: f32, generator: &mut Generator) -> f32 {
    low + (high - low) * (generator.below(1 << 24) as f32 / (1 << 24) as f32)
}

/// True with this probability.
fn chance(probability: f64, generator: &mut Generator) -> bool {
    (generator.below(1 << 53) as f64) < probability * (1u64 << 53) as f64
}

/// Shifts by up to `padding` pixels each way; what comes in from outside is 0. The usual "pad, then crop to the old size".
#[derive(Clone, Copy, Debug)]
pub struct RandomCrop {
    /// How far, in pixels.
    pub padding: usize,
}

impl Transform for RandomCrop {
    fn apply_to_image(&self, image: &mut [f32], rows: usize, columns: usize, generator: &mut Generator) {
        let mut shift = || generator.below(2 * self.padding as u64 + 1) as isize - self.padding as isize;
        let (down, right) = (shift(), shift());
        for plane in image.chunks_exact_mut((rows * columns).max(1)) {
            let source = plane.to_vec();
            let pixel = |row: isize, column: isize| {
                let inside = (0..rows as isize).contains(&row) && (0..columns as isize).contains(&column);
                if inside { source[row as usize * columns + column as usize] } else { 0.0 }
            };
            for (i, to) in plane.iter_mut().enumerate() {
                *to = pixel((i / columns) as isize - down, (i % columns) as isize - right);
            }
        }
    }
}

/// Exchanges left and right, with a probability.
#[derive(Clone, Copy, Debug)]
pub struct RandomFlip {
    /// How likely, from 0 to 1.
    pub probability: f64,
}

impl Transform for RandomFlip {
    fn apply_to_image(&self, image: &mut [f32], _rows: usize, columns: usize, generator: &mut Generator) {
        if chance(self.probability, generator) {
            image.chunks_exact_mut(columns.max(1)).for_each(<[f32]>::reverse);
        }
    }
}

/// Turns, scales and shifts about the centre, with bilinear interpolation; what comes in from outside is 0.
#[derive(Clone, Copy, Debug)]
pub struct RandomAffine {
    /// The largest angle, in degrees, each way.
    pub degrees: f32,
    /// The largest shift, as a share of the image's size, each way.
    pub translate: f32,
    /// The smallest and the largest magnification.
    pub scale: (f32, f32),
}

impl Transform for RandomAffine {
    fn apply_to_image(&self, image: &mut [f32], rows: usize, columns: usize, generator: &mut Generator) {
        let angle = uniform(-self.degrees, self.degrees, generator).to_radians();
        let down = uniform(-self.translate, self.translate, generator) * rows as f32;
        let right = uniform(-self.translate, self.translate, generator) * columns as f32;
        let scale = uniform(self.scale.0, self.scale.1, generator);
        let (sine, cosine) = angle.sin_cos();
        let (middle_row, middle_column) = ((rows as f32 - 1.0) / 2.0, (columns as f32 - 1.0) / 2.0);
        for plane in image.chunks_exact_mut((rows * columns).max(1)) {
            let source = plane.to_vec();
            for (i, to) in plane.iter_mut().enumerate() {
                // Where the pixel comes from: the inverse of the change.
                let y = ((i / columns) as f32 - middle_row - down) / scale;
                let x = ((i % columns) as f32 - middle_column - right) / scale;
                let row = cosine * y - sine * x + middle_row;
                let column = sine * y + cosine * x + middle_column;
                *to = bilinear(&source, rows, columns, row, column);
            }
        }
    }
}

/// Turns about the centre by an angle of up to `degrees` each way, with bilinear interpolation.
#[derive(Clone, Copy, Debug)]
pub struct RandomRotation {
    /// The largest angle, in degrees.
    pub degrees: f32,
}

impl Transform for RandomRotation {
    fn apply_to_image(&self, image: &mut [f32], rows: usize, columns: usize, generator: &mut Generator) {
        let turn = RandomAffine { degrees: self.degrees, translate: 0.0, scale: (1.0, 1.0) };
        turn.apply_to_image(image, rows, columns, generator);
    }
}

/// Sets a rectangle of random size, form and place to 0, with a probability (Zhong, Zheng, Kang, Li, Yang, "Random erasing
/// data augmentation", 2017). Where no rectangle of the drawn size fits, the image stays as it is.
#[derive(Clone, Copy, Debug)]
pub struct RandomErase {
    /// How likely, from 0 to 1.
    pub probability: f64,
    /// The smallest and the largest share of the image's area.
    pub area: (f32, f32),
    /// The smallest and the largest ratio of height to width.
    pub aspect: (f32, f32),
}

impl Default for RandomErase {
    /// The values of the paper: half of the images, 2 to 40 % of the area, ratios of 0.3 to 1/0.3.
    fn default() -> Self {
        RandomErase { probability: 0.5, area: (0.02, 0.4), aspect: (0.3, 1.0 / 0.3) }
    }
}

impl Transform for RandomErase {
    fn apply_to_image(&self, image: &mut [f32], rows: usize, columns: usize, generator: &mut Generator) {
        if !chance(self.probability, generator) {
            return;
        }
        const ATTEMPTS: usize = 20;
        for _ in 0..ATTEMPTS {
            let area = uniform(self.area.0, self.area.1, generator) * (rows * columns) as f32;
            let aspect = uniform(self.aspect.0.ln(), self.aspect.1.ln(), generator).exp();
            let (height, width) = ((area * aspect).sqrt().round(), (area / aspect).sqrt().round());
            let (height, width) = (height as usize, width as usize);
            if height == 0 || width == 0 || height > rows || width > columns {
                continue;
            }
            let top = generator.below((rows - height + 1) as u64) as usize;
            let left = generator.below((columns - width + 1) as u64) as usize;
            for plane in image.chunks_exact_mut(rows * columns) {
                plane
                    .chunks_exact_mut(columns)
                    .skip(top)
                    .take(height)
                    .for_each(|row| row[left..left + width].fill(0.0));
            }
            return;
        }
    }
}

/// The value of an image between its pixels.
fn bilinear(plane: &[f32], rows: usize, columns: usize, row: f32, column: f32) -> f32 {
    let (top, left) = (row.floor(), column.floor());
    let mut value = 0.0;
    for (r, weight_r) in [(top, 1.0 - (row - top)), (top + 1.0, row - top)] {
        for (c, weight_c) in [(left, 1.0 - (column - left)), (left + 1.0, column - left)] {
            if r >= 0.0 && c >= 0.0 && r < rows as f32 && c < columns as f32 {
                value += weight_r * weight_c * plane[r as usize * columns + c as usize];
            }
        }
    }
    value
}

/// Sets a square around a random pixel to 0, cut off at the edges (DeVries and Taylor 2017).
#[derive(Clone, Copy, Debug)]
pub struct Cutout {
    /// The side of the square, in pixels.
    pub size: usize,
}

impl Transform for Cutout {
    fn apply_to_image(&self, image: &mut [f32], rows: usize, columns: usize, generator: &mut Generator) {
        if rows * columns == 0 {
            return;
        }
        let range = |count: usize, generator: &mut Generator| {
            let end = generator.below(count as u64) as usize + self.size - self.size / 2;
            end.saturating_sub(self.size)..end.min(count)
        };
        let (across, along) = (range(rows, generator), range(columns, generator));
        for plane in image.chunks_exact_mut(rows * columns) {
            across.clone().for_each(|row| plane[row * columns..][along.clone()].fill(0.0));
        }
    }
}

/// x ↦ (x - mean) / deviation, with a mean and a deviation for each channel. Not random.
#[derive(Clone, Debug)]
pub struct Normalize {
    /// The mean of each channel.
    pub mean: Vec<f32>,
    /// The deviation of each channel.
    pub deviation: Vec<f32>,
}

impl Transform for Normalize {
    /// # Panics
    /// If the image has not as many channels as there are means and deviations.
    fn apply_to_image(&self, image: &mut [f32], rows: usize, columns: usize, _generator: &mut Generator) {
        let channels = image.len() / (rows * columns).max(1);
        assert!(
            channels == self.mean.len() && channels == self.deviation.len(),
            "Normalize: an image of {channels} channels, {} means and {} deviations",
            self.mean.len(),
            self.deviation.len()
        );
        for (channel, plane) in image.chunks_exact_mut((rows * columns).max(1)).enumerate() {
            plane.iter_mut().for_each(|x| *x = (*x - self.mean[channel]) / self.deviation[channel]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two images of two channels of 5 × 4 pixels; the channels of an image are equal.
    fn images() -> Tensor<f32> {
        Tensor::from_fn([2, 2, 5, 4], |i| 1.0 + (i[2] * 4 + i[3]) as f32)
    }

    fn changed(step: impl Transform, seed: u64) -> Vec<f32> {
        let out = step.apply(images(), &mut Generator::new(seed));
        assert_eq!(out.shape(), [2, 2, 5, 4]);
        let out = out.to_vec();
        assert_eq!((&out[..20], &out[40..60]), (&out[20..40], &out[60..]), "channels are changed alike");
        out
    }

    #[test]
    fn crops_are_shifts() {
        let mut shifts = std::collections::HashSet::new();
        for seed in 0..40 {
            let image = &changed(RandomCrop { padding: 1 }, seed)[..20];
            let found =
                (-1..=1).flat_map(|down| (-1..=1).map(move |right| (down, right))).find(|&(down, right)| {
                    (0..20).all(|i| {
                        let (row, column) = (i / 4 - down, i % 4 - right);
                        let inside = (0..5).contains(&row) && (0..4).contains(&column);
                        image[i as usize] == if inside { (1 + row * 4 + column) as f32 } else { 0.0 }
                    })
                });
            shifts.insert(found.expect("a shift by at most 1"));
        }
        assert_eq!(shifts.len(), 9);
    }

    #[test]
    fn flips_exchange_columns() {
        let flipped = changed(RandomFlip { probability: 1.0 }, 0);
        assert_eq!(flipped[..8], [4.0, 3.0, 2.0, 1.0, 8.0, 7.0, 6.0, 5.0]);
        assert_eq!(changed(RandomFlip { probability: 0.0 }, 0), images().to_vec());
    }

    #[test]
    fn affine_changes_turn_scale_and_shift() {
        let still = RandomAffine { degrees: 0.0, translate: 0.0, scale: (1.0, 1.0) };
        assert_eq!(changed(still, 0), images().to_vec());
        let double = RandomAffine { scale: (2.0, 2.0), ..still };
        let image = &changed(double, 0)[..20];
        assert_eq!((image[8], image[9]), (1.0 + 8.0 + 0.75, 1.0 + 8.0 + 1.25)); // the middle row, half steps of columns
        // A quarter turn of a square image is a permutation of its pixels.
        let mut square: Vec<f32> = (0..9).map(|i| i as f32).collect();
        let source = square.clone();
        for seed in 0.. {
            let mut generator = Generator::new(seed);
            if uniform(-90.0, 90.0, &mut generator.clone()).abs() > 89.9 {
                let turn = RandomAffine { degrees: 90.0, ..still };
                turn.apply_to_image(&mut square, 3, 3, &mut generator);
                break;
            }
        }
        let turned = [[2, 5, 8, 1, 4, 7, 0, 3, 6], [6, 3, 0, 7, 4, 1, 8, 5, 2]];
        let near = |order: &[usize; 9]| order.iter().zip(&square).all(|(&i, x)| (source[i] - x).abs() < 0.05);
        assert!(turned.iter().any(near), "{square:?}");
    }

    #[test]
    fn cutting_out_a_square() {
        let mut sizes = std::collections::HashSet::new();
        for seed in 0..60 {
            let zeros = changed(Cutout { size: 2 }, seed)[..20].iter().filter(|&&x| x == 0.0).count();
            sizes.insert(zeros);
        }
        assert_eq!(sizes, [1, 2, 4].into());
    }

    #[test]
    fn erasing_a_rectangle() {
        let erase = RandomErase { probability: 1.0, area: (0.2, 0.5), aspect: (0.5, 2.0) };
        let mut forms = std::collections::HashSet::new();
        for seed in 0..60 {
            let image = &changed(erase, seed)[..20];
            let zero = |&i: &usize| image[i] == 0.0;
            let rows: std::collections::BTreeSet<usize> = (0..20).filter(zero).map(|i| i / 4).collect();
            let columns: std::collections::BTreeSet<usize> = (0..20).filter(zero).map(|i| i % 4).collect();
            assert_eq!((0..20).filter(zero).count(), rows.len() * columns.len(), "a rectangle");
            assert!(rows.last() < rows.first().map(|first| first + rows.len()).as_ref());
            forms.insert((rows.len(), columns.len()));
        }
        assert!(forms.len() > 3, "{forms:?}");
        assert_eq!(changed(RandomErase { probability: 0.0, ..erase }, 0), images().to_vec());
    }

    #[test]
    fn turning_is_an_affine_change() {
        let affine = RandomAffine { degrees: 30.0, translate: 0.0, scale: (1.0, 1.0) };
        assert_eq!(changed(RandomRotation { degrees: 30.0 }, 4), changed(affine, 4));
    }

    #[test]
    fn images_have_changes_of_their_own() {
        let out = changed(RandomCrop { padding: 2 }, 3);
        assert_ne!(out[..40], out[40..]);
        let steps = || Compose::new().then(RandomCrop { padding: 2 }).then(RandomFlip { probability: 0.5 });
        assert_eq!(changed(steps(), 5), changed(steps(), 5));
    }

    #[test]
    fn normalizing_by_channel() {
        let step = Normalize { mean: vec![1.0, 3.0], deviation: vec![2.0, 0.5] };
        let out = step.apply(images(), &mut Generator::new(0));
        assert_eq!((out.get(&[1, 0, 0, 2]), out.get(&[1, 1, 0, 2])), (Some(1.0), Some(0.0)));
    }

    #[test]
    #[should_panic = "transform: expected [images, …, rows, columns], got [4, 784]"]
    fn flat_images() {
        RandomFlip { probability: 0.5 }.apply(Tensor::zeros([4, 784]), &mut Generator::new(0));
    }
}
