//! Loaders, samplers and MNIST, as a program uses them.

use std::collections::HashSet;
use std::path::PathBuf;

use wengert_autograd::Variable;
use wengert_autograd::tensor::Tensor;
use wengert_datasets::sampler::{Sampler, Shuffled, Weighted};
use wengert_datasets::{
    Collate, DataLoader, Dataset, LabelledImages, Mnist, MnistError, Position, TensorDataset,
};

fn numbers(count: i64) -> TensorDataset<Tensor<i64>> {
    TensorDataset::new(Tensor::arange(0, count, 1))
}

fn flat(batches: impl IntoIterator<Item = Tensor<i64>>) -> Vec<i64> {
    batches.into_iter().flat_map(|batch| batch.to_vec()).collect()
}

#[test]
fn an_epoch_has_every_item_once() {
    let loader = numbers(103).loader().batch_size(10).shuffle(5);
    assert_eq!((loader.len(), loader.epoch(0).len()), (11, 11));
    let order = flat(loader.epoch(0));
    assert_ne!(order, (0..103).collect::<Vec<_>>());
    assert_eq!(order.iter().collect::<HashSet<_>>().len(), 103);
    let loader = loader.drop_last(true);
    assert_eq!(loader.len(), 10);
    assert_eq!(flat(loader.epoch(0)), order[..100]);
    assert_eq!(flat(numbers(5).loader().batch_size(2)), [0, 1, 2, 3, 4]);
    assert!(numbers(0).loader().epoch(0).next().is_none());
}

#[test]
fn the_order_depends_on_seed_and_epoch_alone() {
    let order = |seed, epoch| flat(numbers(50).loader().batch_size(7).shuffle(seed).epoch(epoch));
    assert_eq!(order(1, 4), order(1, 4));
    let all: HashSet<Vec<i64>> =
        (0..5).flat_map(|seed| (0..5).map(move |epoch| order(seed, epoch))).collect();
    assert_eq!(all.len(), 25);
}

#[test]
fn every_position_is_as_likely() {
    // χ² of 20 items over 20 places in 4000 epochs: 19² degrees of freedom, mean 361, standard deviation 27.
    let sampler = Shuffled::new(20, 3);
    let mut counts = [[0u32; 20]; 20];
    for epoch in 0..4000 {
        for (place, item) in sampler.order(epoch).into_iter().enumerate() {
            counts[place][item] += 1;
        }
    }
    let chi2: f64 = counts.iter().flatten().map(|&count| (f64::from(count) - 200.0).powi(2) / 200.0).sum();
    assert!((361.0 - 4.0 * 27.0..361.0 + 4.0 * 27.0).contains(&chi2), "χ² = {chi2}");
}

#[test]
fn prefetching_changes_nothing() {
    let loader = |depth| {
        let noisy = |batch: Tensor<i64>, generator: &mut wengert_autograd::tensor::Generator| {
            let noise = Tensor::<f32>::randn([batch.len()], generator);
            (batch, noise)
        };
        numbers(97).loader().batch_size(8).shuffle(11).map_seeded(12, noisy).prefetch(depth)
    };
    let expected: Vec<_> = loader(0).epoch(3).collect();
    assert_ne!(expected[0].1.to_vec(), expected[1].1.to_vec());
    for (depth, threads) in [(1, 1), (4, 1), (4, 3), (100, 2)] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let found: Vec<_> = pool.install(|| loader(depth).epoch(3).collect());
        assert!(found == expected, "{depth} batches ahead on {threads} threads");
    }
}

#[test]
fn a_position_goes_on_where_it_was_taken() {
    for depth in [0, 3] {
        let loader = numbers(40).loader().batch_size(6).shuffle(2).prefetch(depth);
        let whole = flat(loader.epoch(5));
        let mut batches = loader.epoch(5);
        let mut seen = flat(batches.by_ref().take(3));
        let position = batches.position();
        assert_eq!(position, Position { epoch: 5, batch: 3 });
        drop(batches);
        seen.extend(flat(loader.resume(position)));
        assert_eq!(seen, whole);
        assert!(loader.resume(Position { epoch: 5, batch: 99 }).next().is_none());

        loader.seek(position);
        assert_eq!(flat(&loader), whole[18..]);
        assert_eq!(loader.position(), Position { epoch: 6, batch: 0 });
        assert_eq!(flat(&loader), flat(loader.epoch(6)));
    }
}

#[test]
fn items_of_every_kind_become_batches() {
    #[derive(Clone)]
    struct Sample {
        image: Tensor<f32>,
        label: i64,
    }
    impl Collate for Sample {
        type Batch = (Variable<f32>, Tensor<i64>);
        fn collate(items: Vec<Sample>) -> Self::Batch {
            Collate::collate(items.into_iter().map(|item| (item.image, item.label)).collect::<Vec<_>>())
        }
    }
    let samples: Vec<Sample> =
        (0..3).map(|i| Sample { image: Tensor::full([2, 2], i as f32), label: i }).collect();
    let mut batches = DataLoader::new(samples).batch_size(2).into_iter();
    let (images, labels) = batches.next().expect("two batches");
    assert_eq!((images.shape().to_vec(), labels.to_vec()), (vec![2, 2, 2], vec![0, 1]));

    let texts = vec![("a".to_string(), true, vec![1u8]), ("b".to_string(), false, vec![])];
    let (words, flags, bytes) = texts.batch(&[1, 0]);
    assert_eq!(
        (words, flags.to_vec(), bytes),
        (vec!["b".into(), "a".into()], vec![false, true], vec![vec![], vec![1]])
    );

    let halves = numbers(10).subset([9, 8, 7, 1]).map(|x| x.item() as f64 / 2.0);
    assert_eq!(halves.batch(&[0, 3]).value().to_vec(), [4.5, 0.5]);
}

#[test]
#[should_panic = "the sampler yields index 10, the set has 10 items"]
fn a_sampler_beyond_the_set() {
    numbers(10).loader().sampler(Shuffled::new(11, 0)).epoch(0);
}

#[test]
#[should_panic = "weight NaN of item 1"]
fn weights_are_numbers() {
    Weighted::new(&[1.0, f64::NAN], 2, 0);
}

#[test]
fn balanced_classes_come_equally_often() {
    let labels: Vec<i64> = (0..1000).map(|i| i64::from(i % 10 == 0)).collect();
    let order = Weighted::balanced(&labels, 4000, 9).order(0);
    let ones = order.iter().filter(|&&index| labels[index] == 1).count();
    assert!((1850..2150).contains(&ones), "{ones} of 4000"); // 2000 ± 5 · 32
}

#[test]
fn mnist_is_what_was_published() {
    let mnist = Mnist::bundled().expect("the repository holds it");
    let (train, test) = (mnist.train(), mnist.test());
    assert_eq!(
        (train.images().shape(), test.images().shape()),
        (&[60_000, 28, 28][..], &[10_000, 28, 28][..])
    );
    assert_eq!((train.classes(), train.len(), test.len()), (10, 60_000, 10_000));
    assert_eq!(train.labels().iter().take(10).collect::<Vec<_>>(), [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    let ink: u64 = train.images().as_slice().expect("row-major").iter().map(|&byte| u64::from(byte)).sum();
    let mean = ink as f64 / (60_000.0 * 784.0);
    assert!((mean - 33.318_421_449_829_93).abs() < 1e-9, "{mean}");

    let all = test.images_f32();
    assert_eq!(all.shape(), [10_000, 784]);
    let (images, labels) = test.batch(&[9_999, 17]);
    let images = images.value();
    assert_eq!(images.select(0, 0).to_vec(), all.select(0, 9_999).to_vec());
    let (image, label) = test.get(17);
    assert_eq!((images.select(0, 1).to_vec(), labels.get(&[1])), (image.to_vec(), Some(label)));
    assert!(images.iter().all(|x| (0.0..=1.0).contains(&x)) && images.iter().any(|x| x == 1.0));
}

/// A folder of this test alone, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("wengert-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder for temporary files");
        Folder(path)
    }

    fn write(&self, name: &str, sizes: &[u32], data: &[u8]) -> PathBuf {
        let mut bytes = vec![0, 0, 8, sizes.len() as u8];
        sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
        bytes.extend(data);
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a temporary file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_missing_file_is_named_with_its_folder() {
    let folder = Folder::new("missing");
    folder.write("train-images-idx3-ubyte", &[1, 1, 1], &[0]);
    let error = Mnist::load(&folder.0).expect_err("three files are missing");
    let MnistError::Missing { folder: named, file, .. } = &error else { panic!("{error}") };
    assert_eq!((named, file.as_str()), (&folder.0, "train-labels-idx1-ubyte"));
    assert!(error.to_string().contains("t10k-images-idx3-ubyte"), "{error}");
}

#[test]
fn images_of_any_number_and_size() {
    let folder = Folder::new("sizes");
    let images = folder.write("i", &[3, 1, 2], &[0, 51, 102, 153, 204, 255]);
    let labels = folder.write("l", &[3], &[61, 0, 255]);
    let set = LabelledImages::load(&images, &labels).expect("valid");
    assert_eq!((set.len(), set.classes()), (3, 256));
    let (batch, classes) = set.batch(&[2, 0]);
    assert_eq!((batch.value().to_vec(), classes.to_vec()), (vec![0.8, 1.0, 0.0, 0.2], vec![255, 61]));

    let two = folder.write("l2", &[2], &[1, 2]);
    let error = LabelledImages::load(&images, &two).expect_err("counts differ");
    assert!(
        matches!(&error, MnistError::Counts { images: (_, 3), labels: (path, 2) } if *path == two),
        "{error}"
    );
    let error = LabelledImages::load(&labels, &images).expect_err("the wrong way round");
    assert!(matches!(&error, MnistError::Shape { path, .. } if *path == labels), "{error}");
    let error = LabelledImages::load(folder.0.join("none"), &labels).expect_err("no such file");
    assert!(error.to_string().contains("none"), "{error}");
}
