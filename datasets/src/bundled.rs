//! The data sets that lie beside this crate's source, one function each.
//!
//! ```
//! use wengert_datasets::bundled;
//!
//! let iris = bundled::iris()?;
//! assert_eq!(iris.features.shape(), [150, 4]);
//! assert_eq!(iris.class_names, ["setosa", "versicolor", "virginica"]);
//! # Ok::<(), wengert_datasets::table::TableError>(())
//! ```
//!
//! Sources, papers and licences are listed in full in `data/README.md`; the data keep their own licences. A package from a
//! registry has no data: there each function returns the error that its file is not found, with the path where it would be.
//! MNIST has a type of its own, [`Mnist`](crate::Mnist).

use std::path::{Path, PathBuf};

use wengert_autograd::tensor::Tensor;

use crate::table::{ColumnType, CsvReader, Table, TableError};
use crate::tensors::TensorDataset;
use crate::text;

/// A table for classification.
#[derive(Clone, Debug)]
pub struct Classification {
    /// \[rows, features\].
    pub features: Tensor<f32>,
    /// What each feature is.
    pub feature_names: Vec<String>,
    /// \[rows\], each below the number of classes.
    pub labels: Tensor<i64>,
    /// What each class is.
    pub class_names: Vec<String>,
}

/// A table for regression.
#[derive(Clone, Debug)]
pub struct Regression {
    /// \[rows, features\].
    pub features: Tensor<f32>,
    /// What each feature is.
    pub feature_names: Vec<String>,
    /// \[rows\].
    pub targets: Tensor<f32>,
    /// What the target is.
    pub target_name: String,
}

/// Numbers in the order of time.
#[derive(Clone, Debug)]
pub struct Series {
    /// \[times\].
    pub values: Tensor<f32>,
    /// Each time, as `year-month`.
    pub times: Vec<String>,
}

/// Texts with a class each.
#[derive(Clone, Debug)]
pub struct LabelledTexts {
    /// The texts.
    pub texts: Vec<String>,
    /// \[texts\], each below the number of classes.
    pub labels: Tensor<i64>,
    /// What each class is.
    pub class_names: Vec<String>,
}

impl Classification {
    /// The rows as a data set of features and label.
    pub fn dataset(&self) -> TensorDataset<(Tensor<f32>, Tensor<i64>)> {
        TensorDataset::new((self.features.clone(), self.labels.clone()))
    }

    /// All columns but `label` as features, in the order of the file.
    fn from_table(table: &Table, label: &str) -> Result<Classification, TableError> {
        let names: Vec<&str> = table.names().filter(|&name| name != label).collect();
        let features = table.features(&names)?;
        let (labels, class_names) = table.labels(label)?;
        Ok(Classification { features: features.values, feature_names: features.names, labels, class_names })
    }
}

impl Regression {
    /// The rows as a data set of features and target.
    pub fn dataset(&self) -> TensorDataset<(Tensor<f32>, Tensor<f32>)> {
        TensorDataset::new((self.features.clone(), self.targets.clone()))
    }

    /// All columns but `target` as features, in the order of the file.
    fn from_table(table: &Table, target: &str) -> Result<Regression, TableError> {
        let names: Vec<&str> = table.names().filter(|&name| name != target).collect();
        let features = table.features(&names)?;
        let targets = table.features(&[target])?.values.reshape([table.rows()]);
        let (feature_names, target_name) = (features.names, target.to_string());
        Ok(Regression { features: features.values, feature_names, targets, target_name })
    }
}

/// A file of the folder `data`.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}

fn table(name: &str) -> Result<Table, TableError> {
    CsvReader::new().read(file(name))
}

/// Fisher's irises: 150 flowers, 4 measurements in cm, 3 species of 50 each.
///
/// R. A. Fisher, 1936, with E. Anderson's measurements; UCI, CC BY 4.0.
///
/// # Errors
/// If the file is not there or not valid.
pub fn iris() -> Result<Classification, TableError> {
    Classification::from_table(&table("tables/iris.csv")?, "species")
}

/// Wines of three cultivars: 178 wines, 13 chemical measurements.
///
/// S. Aeberhard and M. Forina; UCI, CC BY 4.0.
///
/// # Errors
/// If the file is not there or not valid.
pub fn wine() -> Result<Classification, TableError> {
    Classification::from_table(&table("tables/wine.csv")?, "cultivar")
}

/// Breast Cancer Wisconsin (Diagnostic): 569 tumours, 30 measurements of cell nuclei, 357 benign and 212 malignant.
///
/// W. Wolberg, O. Mangasarian, W. N. Street, 1995; UCI, CC BY 4.0.
///
/// # Errors
/// If the file is not there or not valid.
pub fn breast_cancer() -> Result<Classification, TableError> {
    Classification::from_table(&table("tables/breast_cancer_wdbc.csv")?, "diagnosis")
}

/// Small handwritten digits: 1797 images of 8 × 8 pixels from 0 to 16, row by row; 10 classes.
///
/// E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits (its test part); UCI, CC BY 4.0.
///
/// # Errors
/// If the file is not there or not valid.
pub fn digits() -> Result<Classification, TableError> {
    let table = table("tables/digits_8x8.csv.gz")?;
    let label = table.names().last().unwrap_or_default().to_string();
    Classification::from_table(&table, &label)
}

/// Progression of diabetes within a year: 442 patients, 10 measurements in their own units.
///
/// B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, "Least Angle Regression", 2004; distributed under BSD-3-Clause.
///
/// # Errors
/// If the file is not there or not valid.
pub fn diabetes() -> Result<Regression, TableError> {
    Regression::from_table(&table("tables/diabetes.csv")?, "progression")
}

/// Compressive strength of concrete in MPa: 1030 specimens, 7 ingredients in kg/m³ and the age in days.
///
/// Many rows are one mixture at different ages, and some repeat: test on other mixtures than were learned from, with
/// [`group_k_fold`](crate::split::group_k_fold) over [`concrete_mixtures`].
///
/// I-C. Yeh, 1998; UCI, CC BY 4.0.
///
/// # Errors
/// If the file is not there or not valid.
pub fn concrete() -> Result<Regression, TableError> {
    Regression::from_table(&table("tables/concrete.csv")?, "compressive_strength")
}

/// For each row of [`concrete`] the number of its mixture: rows of equal ingredients have equal numbers, whatever their
/// age.
pub fn concrete_mixtures(concrete: &Regression) -> Vec<usize> {
    let ingredients = concrete.features.narrow(1, 0, concrete.features.shape()[1] - 1);
    let mut numbers = std::collections::HashMap::new();
    let mixture = |row: usize| {
        let key: Vec<u32> = ingredients.select(0, row as isize).iter().map(f32::to_bits).collect();
        let next = numbers.len();
        *numbers.entry(key).or_insert(next)
    };
    (0..concrete.targets.len()).map(mixture).collect()
}

/// Penguins of the Palmer Archipelago: 344 birds, 4 measurements, island and sex, 3 species; 19 values are missing.
/// Columns: species, island, bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g, sex.
///
/// K. Gorman, T. Williams, W. Fraser, PLoS ONE 9(3) e90081, 2014; CC0.
///
/// # Errors
/// If the file is not there or not valid.
pub fn penguins() -> Result<Table, TableError> {
    table("tables/penguins.csv")
}

/// German credit: 1000 loans, 7 numbers and 13 categories, `risk` good (700) or bad (300).
///
/// It has sex, age and foreign-worker status among its columns: fit for a demonstration, not for a decision about people.
///
/// H. Hofmann, Statlog, 1994; UCI, CC BY 4.0.
///
/// # Errors
/// If the file is not there or not valid.
pub fn german_credit() -> Result<Table, TableError> {
    table("tables/german_credit.csv")
}

/// Airline passengers of each month from 1949 to 1960, in thousands: 144 months.
///
/// G. Box, G. Jenkins, G. Reinsel, "Time Series Analysis", series G.
///
/// # Errors
/// If the file is not there or not valid.
pub fn air_passengers() -> Result<Series, TableError> {
    series("series/air_passengers.csv", "passengers_thousands")
}

/// The sunspot number of each month from 1749 to 1983: 2820 months.
///
/// D. Andrews and A. Herzberg, "Data", 1985: Zurich Observatory until 1960, then Tokyo.
///
/// # Errors
/// If the file is not there or not valid.
pub fn sunspots() -> Result<Series, TableError> {
    series("series/sunspots_monthly.csv", "sunspot_number")
}

fn series(name: &str, value: &str) -> Result<Series, TableError> {
    let table = CsvReader::new().column("month", ColumnType::Text).read(file(name))?;
    let values = table.features(&[value])?.values.reshape([table.rows()]);
    Ok(Series { values, times: table.texts("month")? })
}

/// Text messages: 4862 of them, ham (4220) or spam (642); 328 repeat another, see
/// [`without_repeats`](LabelledTexts::without_repeats).
///
/// T. Almeida and J. M. Gómez Hidalgo, SMS Spam Collection v.1, 2012; UCI, CC BY 4.0. This is what one package ships of
/// the original 5574 messages. Some are coarse.
///
/// # Errors
/// If the file is not there or not valid.
pub fn sms_spam() -> Result<LabelledTexts, TableError> {
    let reader = CsvReader::tsv().column_names(["label", "message"]).column("message", ColumnType::Text);
    labelled_texts(&reader.read(file("text/sms_spam.tsv.gz"))?, "label", "message")
}

/// Passages of about 140 to 320 characters by Jane Austen, William Shakespeare and John Milton: 1200 each.
///
/// Public domain; the compilations MIT and CC BY 2.5.
///
/// # Errors
/// If the file is not there or not valid.
pub fn authors() -> Result<LabelledTexts, TableError> {
    labelled_texts(&author_table()?, "author", "text")
}

/// For each passage of [`authors`] the work that it is from. Passages of one work resemble each other: to learn who wrote a
/// book that was never seen, split by work.
///
/// # Errors
/// If the file is not there or not valid.
pub fn author_works() -> Result<Vec<String>, TableError> {
    author_table()?.texts("work")
}

/// The passages of [`authors`] that are Jane Austen's, by novel: 200 of each of six, a harder task.
///
/// # Errors
/// If the file is not there or not valid.
pub fn austen_novels() -> Result<LabelledTexts, TableError> {
    let table = author_table()?;
    let (authors, works, texts) = (table.texts("author")?, table.texts("work")?, table.texts("text")?);
    let rows: Vec<usize> = (0..table.rows()).filter(|&row| authors[row] == "austen").collect();
    let class_names: Vec<String> = rows
        .iter()
        .map(|&row| works[row].clone())
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    let label =
        |&row: &usize| class_names.iter().position(|name| *name == works[row]).expect("collected") as i64;
    let labels: Vec<i64> = rows.iter().map(label).collect();
    Ok(LabelledTexts {
        texts: rows.iter().map(|&row| texts[row].clone()).collect(),
        labels: Tensor::from_vec(labels, [rows.len()]).expect("one label a row"),
        class_names,
    })
}

fn author_table() -> Result<Table, TableError> {
    CsvReader::tsv().column("text", ColumnType::Text).read(file("text/authors.tsv.gz"))
}

fn labelled_texts(table: &Table, label: &str, text: &str) -> Result<LabelledTexts, TableError> {
    let (labels, class_names) = table.labels(label)?;
    Ok(LabelledTexts { texts: table.texts(text)?, labels, class_names })
}

impl LabelledTexts {
    /// The texts that are not equal to an earlier one. Repeats fall on both sides of a split and make a test too easy.
    pub fn without_repeats(&self) -> LabelledTexts {
        let mut seen = std::collections::HashSet::new();
        let rows: Vec<usize> = (0..self.texts.len()).filter(|&row| seen.insert(&self.texts[row])).collect();
        let labels: Vec<i64> = self.labels.iter().collect();
        let labels: Vec<i64> = rows.iter().map(|&row| labels[row]).collect();
        LabelledTexts {
            texts: rows.iter().map(|&row| self.texts[row].clone()).collect(),
            labels: Tensor::from_vec(labels, [rows.len()]).expect("one label a row"),
            class_names: self.class_names.clone(),
        }
    }
}

/// Nine plays of William Shakespeare, one after the other: 1 156 786 ASCII characters, 80 distinct ones.
///
/// Public domain; the compilation CC BY 2.5. Not the file known as "tiny Shakespeare": losses on the two are not
/// comparable.
///
/// # Errors
/// If the file is not there or not valid.
pub fn shakespeare() -> Result<String, TableError> {
    let path = file("text/shakespeare.txt.gz");
    text::read(&path).map_err(|source| TableError::Io { path, source })
}

/// Short Bible verses in English and Spanish: 9633 pairs of at most 18 words a side.
///
/// World English Bible and Reina-Valera 1909, with the spelling of its day; public domain. Both translate a third text, so
/// the pairs are free translations of each other.
///
/// # Errors
/// If the file is not there or not valid.
pub fn verses() -> Result<Vec<(String, String)>, TableError> {
    let reader = CsvReader::tsv();
    let reader =
        ["ref", "en", "es"].iter().fold(reader, |reader, name| reader.column(*name, ColumnType::Text));
    let table = reader.read(file("text/verses_en_es.tsv.gz"))?;
    Ok(table.texts("en")?.into_iter().zip(table.texts("es")?).collect())
}
