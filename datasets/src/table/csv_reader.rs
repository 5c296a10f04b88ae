//! From the fields of a CSV file to the columns of a table.

use std::collections::{HashMap, HashSet};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use csv::{ErrorKind, ReaderBuilder, StringRecord};

use super::{Column, Table, TableError, distinct};
use crate::source;

/// What the values of a column are.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnType {
    /// Finite numbers.
    Number,
    /// One of the names that occur.
    Category,
    /// One of these names, in this order; any other is an error.
    OneOf(Vec<String>),
    /// Any text.
    Text,
}

/// Reads CSV files (RFC 4180) and their relatives, plain or gzip.
///
/// ```
/// use wengert_datasets::table::{ColumnType, CsvReader};
///
/// let file = "ham\tSee you at \"8\"\nspam\tWIN!!\n";
/// let table = CsvReader::tsv().column_names(["kind", "text"]).column("text", ColumnType::Text).parse(file.as_bytes(), "x")?;
/// assert_eq!(table.texts("text")?, ["See you at \"8\"", "WIN!!"]);
/// # Ok::<(), wengert_datasets::table::TableError>(())
/// ```
#[derive(Clone, Debug)]
pub struct CsvReader {
    delimiter: u8,
    quoting: bool,
    column_names: Option<Vec<String>>,
    missing: Vec<String>,
    types: Vec<(String, ColumnType)>,
    limit: u64,
}

impl Default for CsvReader {
    fn default() -> Self {
        CsvReader::new()
    }
}

impl CsvReader {
    /// Fields are separated by commas and may be quoted, the first line names the columns, and an empty field is a
    /// missing value. A column is one of numbers if all its values are finite numbers, else one of categories.
    pub fn new() -> CsvReader {
        CsvReader {
            delimiter: b',',
            quoting: true,
            column_names: None,
            missing: vec![String::new()],
            types: Vec::new(),
            limit: 1 << 31,
        }
    }

    /// As [`new`](Self::new), for fields separated by tabs, in which quotation marks mean nothing.
    pub fn tsv() -> CsvReader {
        CsvReader::new().delimiter(b'\t').quoting(false)
    }

    /// The byte between fields.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Whether a field may be enclosed in quotation marks.
    pub fn quoting(mut self, quoting: bool) -> Self {
        self.quoting = quoting;
        self
    }

    /// The columns' names, for a file whose first line is data already.
    pub fn column_names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.column_names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// The spellings of a missing value, instead of the empty field.
    pub fn missing<S: Into<String>>(mut self, spellings: impl IntoIterator<Item = S>) -> Self {
        self.missing = spellings.into_iter().map(Into::into).collect();
        self
    }

    /// What the values of a column are, instead of finding it out.
    pub fn column(mut self, name: impl Into<String>, ty: ColumnType) -> Self {
        self.types.push((name.into(), ty));
        self
    }

    /// How many bytes a file may have, unpacked; 2 GiB if not said otherwise.
    pub fn limit(mut self, bytes: u64) -> Self {
        self.limit = bytes;
        self
    }

    /// The table in a file.
    ///
    /// # Errors
    /// See [`TableError`].
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Table, TableError> {
        let path = path.as_ref();
        let stream = source::open(path).map_err(|source| TableError::Io { path: path.into(), source })?;
        self.parse_stream(stream, path)
    }

    /// The table in a stream, plain or gzip; `name` stands for the path in errors.
    ///
    /// # Errors
    /// See [`TableError`].
    pub fn parse(&self, stream: impl Read, name: impl AsRef<Path>) -> Result<Table, TableError> {
        let path = name.as_ref();
        let stream = source::unpacked(BufReader::new(stream));
        self.parse_stream(stream.map_err(|source| TableError::Io { path: path.into(), source })?, path)
    }

    fn parse_stream(&self, stream: impl Read, path: &Path) -> Result<Table, TableError> {
        let mut taken = stream.take(self.limit + 1);
        let mut reader = ReaderBuilder::new()
            .delimiter(self.delimiter)
            .quoting(self.quoting)
            .has_headers(false)
            .from_reader(&mut taken);
        let mut records = Vec::new();
        let mut failure = None;
        for record in reader.records() {
            match record {
                Ok(record) => records.push(record),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        drop(reader);
        if taken.limit() == 0 {
            return Err(TableError::TooLarge { path: path.into(), limit: self.limit });
        }
        if let Some(error) = failure {
            return Err(csv_error(error, path));
        }

        let mut records = records.into_iter();
        let names: Vec<String> = match &self.column_names {
            Some(names) => names.clone(),
            None => {
                let header = records.next().ok_or_else(|| TableError::NoHeader { path: path.into() })?;
                header.iter().map(|name| name.trim_start_matches('\u{feff}').to_string()).collect()
            }
        };
        let records: Vec<StringRecord> = records.collect();
        self.table(names, &records, path.into())
    }

    fn table(
        &self,
        names: Vec<String>,
        records: &[StringRecord],
        path: PathBuf,
    ) -> Result<Table, TableError> {
        let line = |record: &StringRecord| record.position().map_or(0, |position| position.line());
        if let Some(record) = records.first().filter(|record| record.len() != names.len()) {
            let (found, expected) = (record.len(), names.len());
            return Err(TableError::FieldCount { path, line: line(record), found, expected });
        }
        let mut known = HashSet::new();
        if let Some(twice) = names.iter().find(|name| !known.insert(name.as_str())) {
            return Err(TableError::DuplicateColumn { path, column: twice.clone() });
        }
        if let Some((unknown, _)) = self.types.iter().find(|(name, _)| !names.contains(name)) {
            return Err(TableError::UnknownColumn { path, column: unknown.clone(), known: names });
        }
        let mut columns = Vec::with_capacity(names.len());
        for (index, name) in names.into_iter().enumerate() {
            let field = |record: &'_ StringRecord| -> Option<String> {
                let text = &record[index];
                (!self.missing.iter().any(|spelling| spelling == text)).then(|| text.to_string())
            };
            let fields: Vec<Option<String>> = records.iter().map(field).collect();
            let given = self.types.iter().find(|(typed, _)| *typed == name).map(|(_, ty)| ty.clone());
            let column = typed_column(fields, given).map_err(|(row, text, expected)| TableError::Value {
                path: path.clone(),
                line: line(&records[row]),
                column: name.clone(),
                text,
                expected,
            })?;
            columns.push((name, column));
        }
        Ok(Table { path, columns, lines: records.iter().map(line).collect() })
    }
}

/// A value that is not of its column's type: its row, its text, what was expected.
type Misfit = (usize, String, String);

/// The column of these fields, `None` where a value is missing.
fn typed_column(fields: Vec<Option<String>>, given: Option<ColumnType>) -> Result<Column, Misfit> {
    let ty = given.unwrap_or_else(|| {
        if fields.iter().flatten().all(|text| number(text).is_some()) {
            ColumnType::Number
        } else {
            ColumnType::Category
        }
    });
    let names = match ty {
        ColumnType::Text => return Ok(Column::Texts(fields)),
        ColumnType::Number => {
            let value = |(row, field): (usize, Option<String>)| match field {
                None => Ok(f64::NAN),
                Some(text) => number(&text).ok_or_else(|| (row, text, "a finite number".to_string())),
            };
            return fields.into_iter().enumerate().map(value).collect::<Result<_, _>>().map(Column::Numbers);
        }
        ColumnType::Category => distinct(fields.iter().flatten().map(String::as_str)),
        ColumnType::OneOf(names) => names,
    };
    // A column of keys has as many names as rows: a search through the names for each row would take for ever.
    let codes_of: HashMap<&str, usize> =
        names.iter().enumerate().rev().map(|(code, name)| (name.as_str(), code)).collect();
    let code = |(row, field): (usize, Option<String>)| match field {
        None => Ok(None),
        Some(text) => match codes_of.get(text.as_str()) {
            Some(&code) => Ok(Some(code)),
            None => Err((row, text, format!("one of {}", names.join(", ")))),
        },
    };
    let codes = fields.into_iter().enumerate().map(code).collect::<Result<_, _>>()?;
    Ok(Column::Categories { codes, names })
}

/// A finite number, spaces around it allowed.
fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|value: &f64| value.is_finite())
}

fn csv_error(error: csv::Error, path: &Path) -> TableError {
    let path = path.to_path_buf();
    let line = error.position().map_or(0, |position| position.line());
    match error.into_kind() {
        ErrorKind::Io(source) => TableError::Io { path, source },
        ErrorKind::Utf8 { .. } => TableError::NotUtf8 { path, line },
        ErrorKind::UnequalLengths { expected_len, len, .. } => {
            TableError::FieldCount { path, line, found: len as usize, expected: expected_len as usize }
        }
        other => TableError::Io { path, source: std::io::Error::other(format!("{other:?}")) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: CsvReader, text: &[u8]) -> Result<Table, TableError> {
        reader.parse(text, "t.csv")
    }

    #[track_caller]
    fn message(reader: CsvReader, text: &[u8]) -> String {
        read(reader, text).expect_err("must be refused").to_string()
    }

    #[test]
    fn types_are_found_and_missing_values_kept() {
        let file = b"\xef\xbb\xbfa,b,c\n1, 2.5 ,x\n,-3e2,\"y, z\"\n4,,x\n";
        let table = read(CsvReader::new(), file).expect("valid");
        let Column::Numbers(a) = table.column("a").expect("there") else { panic!("numbers") };
        assert!(a[0] == 1.0 && a[1].is_nan() && a[2] == 4.0);
        let names = vec!["x".to_string(), "y, z".into()];
        assert_eq!(
            table.column("c").expect("there"),
            &Column::Categories { codes: vec![Some(0), Some(1), Some(0)], names }
        );
        assert_eq!(table.without_missing().rows(), 1);
        let features = table.take(&[0]).features(&["c", "b"]).expect("complete");
        assert_eq!(features.names, ["c=x", "c=y, z", "b"]);
        assert_eq!(features.values.to_vec(), [1.0, 0.0, 2.5]);
        let error = table.features(&["b"]).expect_err("one is missing").to_string();
        assert_eq!(error, "t.csv, line 4, column \"b\": a value is missing");
    }

    #[test]
    fn numbers_as_labels() {
        let table = read(CsvReader::new(), b"k,v\n0,0.5\n3,1\n").expect("valid");
        let (labels, classes) = table.labels("k").expect("whole numbers");
        assert_eq!((labels.to_vec(), classes.len()), (vec![0, 3], 4));
        assert!(
            table.labels("v").expect_err("0.5").to_string().contains("line 2, column \"v\": \"0.5\" is not")
        );
        let huge = read(CsvReader::new(), b"k\n1e15\n").expect("valid");
        assert!(huge.labels("k").is_err());
    }

    #[test]
    fn errors_name_line_and_column() {
        let number = || CsvReader::new().column("b", ColumnType::Number);
        assert_eq!(
            message(number(), b"a,b\n1,2\n3,NaN\n"),
            "t.csv, line 3, column \"b\": \"NaN\" is not a finite number"
        );
        assert_eq!(message(CsvReader::new(), b"a,b\n1,2\n3\n"), "t.csv, line 3: 1 fields, expected 2");
        assert_eq!(message(CsvReader::new(), b""), "t.csv: empty, expected a line of column names");
        assert_eq!(message(CsvReader::new(), b"a,a\n"), "t.csv: two columns are named \"a\"");
        assert_eq!(message(CsvReader::new(), b"a\n\xff\n"), "t.csv, line 2: not UTF-8 text");
        let one_of = CsvReader::new().column("a", ColumnType::OneOf(vec!["x".into(), "y".into()]));
        assert_eq!(message(one_of, b"a\nx\nz\n"), "t.csv, line 3, column \"a\": \"z\" is not one of x, y");
        assert_eq!(message(number(), b"a,c\n"), "t.csv: no column \"b\"; there are a, c");
        assert_eq!(
            message(CsvReader::new().column_names(["a"]), b"1,2\n"),
            "t.csv, line 1: 2 fields, expected 1"
        );
        let table = read(CsvReader::new(), b"a,b\nx,1\n").expect("valid");
        assert_eq!(
            table.numbers(&["a"]).expect_err("categories").to_string(),
            "t.csv, column \"a\": it holds categories, expected numbers"
        );
    }

    #[test]
    fn a_column_of_keys_takes_no_longer_than_others() {
        let rows = 200_000;
        let text: String = (0..rows).map(|row| format!("key{row}\n")).collect();
        let table = read(CsvReader::new().column_names(["key"]), text.as_bytes()).expect("valid");
        let Column::Categories { codes, names } = table.column("key").expect("there") else {
            panic!("categories")
        };
        assert_eq!((codes.len(), names.len()), (rows, rows));
        assert_eq!(names[codes[123_456].expect("no value is missing")], "key123456");
    }

    #[test]
    fn an_endless_field_is_cut_off() {
        let endless = (&b"a\n\""[..]).chain(std::io::repeat(b'x'));
        let error = CsvReader::new().limit(100_000).parse(endless, "t.csv").expect_err("endless");
        assert_eq!(error.to_string(), "t.csv: more than 100000 bytes (unpacked)");
        let exact = read(CsvReader::new().limit(4), b"a\n1\n").expect("as long as allowed");
        assert_eq!(exact.rows(), 1);
    }
}
