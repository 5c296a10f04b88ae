//! Tables: columns of numbers, categories and texts, read from CSV and TSV files.
//!
//! ```
//! use wengert_datasets::table::CsvReader;
//!
//! let file = "species,mass\ncat,4.1\ndog,\ncat,3.9\n";
//! let table = CsvReader::new().parse(file.as_bytes(), "pets.csv")?;
//! assert_eq!(table.names().collect::<Vec<_>>(), ["species", "mass"]);
//! let (labels, classes) = table.labels("species")?;
//! assert_eq!((labels.to_vec(), classes), (vec![0, 1, 0], vec!["cat".to_string(), "dog".into()]));
//! let mass = table.numbers(&["mass"])?;
//! assert!(mass.get(&[1, 0]).is_some_and(f32::is_nan)); // missing
//! let error = table.features(&["mass"]).unwrap_err();
//! assert_eq!(error.to_string(), "pets.csv, line 3, column \"mass\": a value is missing");
//! # Ok::<(), wengert_datasets::table::TableError>(())
//! ```
//!
//! A column's type is found from all of its values, or given; then every value must be of that type. What is missing is
//! kept as missing, and only [`Table::numbers`] passes it on, as NaN: elsewhere it is an error or is dropped on request.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use wengert_autograd::tensor::Tensor;

pub use csv_reader::{ColumnType, CsvReader};

mod csv_reader;

/// What can be wrong with a table, or with what is asked of one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file cannot be opened, read or unpacked.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system or the decoder says.
        source: io::Error,
    },
    /// More than [`CsvReader::limit`] allows.
    #[error("{}: more than {limit} bytes (unpacked)", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// How many bytes are allowed.
        limit: u64,
    },
    /// A line that is not UTF-8 text.
    #[error("{}, line {line}: not UTF-8 text", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
    },
    /// A line with more or fewer fields than there are columns.
    #[error("{}, line {line}: {found} fields, expected {expected}", path.display())]
    FieldCount {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// How many fields the line has.
        found: usize,
        /// How many columns there are.
        expected: usize,
    },
    /// No line at all where a header is expected.
    #[error("{}: empty, expected a line of column names", path.display())]
    NoHeader {
        /// The file.
        path: PathBuf,
    },
    /// Two columns of one name.
    #[error("{}: two columns are named \"{column}\"", path.display())]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The name.
        column: String,
    },
    /// A column that the table does not have.
    #[error("{}: no column \"{column}\"; there are {}", path.display(), known.join(", "))]
    UnknownColumn {
        /// The file.
        path: PathBuf,
        /// The name that was asked for.
        column: String,
        /// The columns' names.
        known: Vec<String>,
    },
    /// A value that is not of its column's type.
    #[error("{}, line {line}, column \"{column}\": \"{text}\" is not {expected}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// The value as it is written.
        text: String,
        /// What was expected, in words.
        expected: String,
    },
    /// A missing value where all are needed.
    #[error("{}, line {line}, column \"{column}\": a value is missing", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column's name.
        column: String,
    },
    /// A column of another kind than needed.
    #[error("{}, column \"{column}\": it holds {found}, expected {expected}", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
        /// The column's name.
        column: String,
        /// The kind that it has.
        found: &'static str,
        /// The kind that was needed.
        expected: &'static str,
    },
}

/// The values of one column.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Column {
    /// Finite numbers; NaN where one is missing.
    Numbers(Vec<f64>),
    /// One of a few names; `None` where it is missing.
    Categories {
        /// For each row the position of its category among the names.
        codes: Vec<Option<usize>>,
        /// The categories, in ascending order if they were found in the file.
        names: Vec<String>,
    },
    /// Any text; `None` where it is missing.
    Texts(Vec<Option<String>>),
}

impl Column {
    fn kind(&self) -> &'static str {
        match self {
            Column::Numbers(_) => "numbers",
            Column::Categories { .. } => "categories",
            Column::Texts(_) => "texts",
        }
    }

    fn is_missing(&self, row: usize) -> bool {
        match self {
            Column::Numbers(values) => values[row].is_nan(),
            Column::Categories { codes, .. } => codes[row].is_none(),
            Column::Texts(texts) => texts[row].is_none(),
        }
    }

    fn take(&self, rows: &[usize]) -> Column {
        match self {
            Column::Numbers(values) => Column::Numbers(rows.iter().map(|&row| values[row]).collect()),
            Column::Categories { codes, names } => Column::Categories {
                codes: rows.iter().map(|&row| codes[row]).collect(),
                names: names.clone(),
            },
            Column::Texts(texts) => Column::Texts(rows.iter().map(|&row| texts[row].clone()).collect()),
        }
    }
}

/// A table whose columns have names; made by [`CsvReader`].
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    columns: Vec<(String, Column)>,
    /// The line of the file where each row begins.
    lines: Vec<u64>,
}

/// Columns as the input of a model, from [`Table::features`].
#[derive(Clone, Debug)]
pub struct Features {
    /// \[rows, features\].
    pub values: Tensor<f32>,
    /// What each feature is: a column's name, or `column=category`.
    pub names: Vec<String>,
}

impl Table {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// The columns' names in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// A column.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn column(&self, name: &str) -> Result<&Column, TableError> {
        self.columns.iter().find(|(known, _)| known == name).map(|(_, column)| column).ok_or_else(|| {
            let known = self.names().map(str::to_string).collect();
            TableError::UnknownColumn { path: self.path.clone(), column: name.into(), known }
        })
    }

    /// Columns of numbers side by side, \[rows, columns\]; NaN where one is missing.
    ///
    /// # Errors
    /// If a column does not exist or does not hold numbers.
    pub fn numbers(&self, names: &[&str]) -> Result<Tensor<f32>, TableError> {
        let mut columns = Vec::with_capacity(names.len());
        for &name in names {
            match self.column(name)? {
                Column::Numbers(values) => columns.push(values),
                other => return Err(self.kind_error(name, other, "numbers")),
            }
        }
        Ok(Tensor::from_fn([self.rows(), columns.len()], |i| columns[i[1]][i[0]] as f32))
    }

    /// Columns of numbers and categories as the input of a model: numbers as they are, each category as a column of its
    /// own that is 1 where a row is of that category and 0 elsewhere.
    ///
    /// # Errors
    /// If a column does not exist, holds texts, or lacks a value (see [`without_missing`](Self::without_missing)).
    pub fn features(&self, names: &[&str]) -> Result<Features, TableError> {
        let mut features = Vec::new();
        let mut columns: Vec<Vec<f32>> = Vec::new();
        for &name in names {
            let column = self.column(name)?;
            if let Some(row) = (0..self.rows()).find(|&row| column.is_missing(row)) {
                return Err(self.missing_error(row, name));
            }
            match column {
                Column::Numbers(values) => {
                    features.push(name.to_string());
                    columns.push(values.iter().map(|&value| value as f32).collect());
                }
                Column::Categories { codes, names } => {
                    for (category, category_name) in names.iter().enumerate() {
                        features.push(format!("{name}={category_name}"));
                        columns.push(codes.iter().map(|&code| f32::from(code == Some(category))).collect());
                    }
                }
                Column::Texts(_) => return Err(self.kind_error(name, column, "numbers or categories")),
            }
        }
        let values = Tensor::from_fn([self.rows(), columns.len()], |i| columns[i[1]][i[0]]);
        Ok(Features { values, names: features })
    }

    /// A column as class labels, \[rows\], and the names of the classes: categories by their position, or whole numbers
    /// as they are.
    ///
    /// # Errors
    /// If the column does not exist, lacks a value, or holds anything else.
    pub fn labels(&self, name: &str) -> Result<(Tensor<i64>, Vec<String>), TableError> {
        const MOST: f64 = 1e6; // beyond that a number is no class
        let column = self.column(name)?;
        let mut labels = Vec::with_capacity(self.rows());
        for row in 0..self.rows() {
            if column.is_missing(row) {
                return Err(self.missing_error(row, name));
            }
            labels.push(match column {
                Column::Categories { codes, .. } => codes[row].expect("not missing") as i64,
                Column::Numbers(values)
                    if values[row].fract() == 0.0 && (0.0..MOST).contains(&values[row]) =>
                {
                    values[row] as i64
                }
                Column::Numbers(values) => {
                    let (text, expected) = (values[row].to_string(), "the number of a class".to_string());
                    return Err(self.value_error(row, name, text, expected));
                }
                Column::Texts(_) => return Err(self.kind_error(name, column, "categories or whole numbers")),
            });
        }
        let classes = match column {
            Column::Categories { names, .. } => names.clone(),
            _ => (0..=labels.iter().copied().max().unwrap_or(-1)).map(|class| class.to_string()).collect(),
        };
        Ok((Tensor::from_vec(labels, [self.rows()]).expect("one label a row"), classes))
    }

    /// A column of texts, or of the names of categories.
    ///
    /// # Errors
    /// If the column does not exist, lacks a value, or holds numbers.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, TableError> {
        let column = self.column(name)?;
        let text = |row: usize| match column {
            Column::Texts(texts) => texts[row].clone().ok_or_else(|| self.missing_error(row, name)),
            Column::Categories { codes, names } => {
                codes[row].map(|code| names[code].clone()).ok_or_else(|| self.missing_error(row, name))
            }
            Column::Numbers(_) => Err(self.kind_error(name, column, "texts or categories")),
        };
        (0..self.rows()).map(text).collect()
    }

    /// The rows in which no column lacks a value.
    pub fn without_missing(&self) -> Table {
        let whole = |&row: &usize| !self.columns.iter().any(|(_, column)| column.is_missing(row));
        self.take(&(0..self.rows()).filter(whole).collect::<Vec<_>>())
    }

    /// These rows, in this order.
    ///
    /// # Panics
    /// If there is no such row.
    #[track_caller]
    pub fn take(&self, rows: &[usize]) -> Table {
        if let Some(row) = rows.iter().find(|&&row| row >= self.rows()) {
            panic!("take: row {row} is out of range for a table of {} rows", self.rows());
        }
        Table {
            path: self.path.clone(),
            columns: self.columns.iter().map(|(name, column)| (name.clone(), column.take(rows))).collect(),
            lines: rows.iter().map(|&row| self.lines[row]).collect(),
        }
    }

    fn missing_error(&self, row: usize, column: &str) -> TableError {
        TableError::Missing { path: self.path.clone(), line: self.lines[row], column: column.into() }
    }

    fn value_error(&self, row: usize, column: &str, text: String, expected: String) -> TableError {
        let (path, line) = (self.path.clone(), self.lines[row]);
        TableError::Value { path, line, column: column.into(), text, expected }
    }

    fn kind_error(&self, name: &str, column: &Column, expected: &'static str) -> TableError {
        TableError::Kind { path: self.path.clone(), column: name.into(), found: column.kind(), expected }
    }
}

/// The distinct values, in ascending order.
fn distinct<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    values.collect::<BTreeSet<_>>().into_iter().map(str::to_string).collect()
}
