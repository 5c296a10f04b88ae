//! The CSV reader on hostile bytes: an error that has a text, or a table whose columns have all its rows.
//!
//! The first byte chooses the settings.

use super::choices::Choices;
use wengert::datasets::table::{Column, ColumnType, CsvReader, Table};

/// Reads the bytes and asks the table for everything that a table can give.
pub fn run(bytes: &[u8]) {
    let Some((settings, text)) = bytes.split_first() else { return };
    let mut reader = if settings & 1 == 0 { CsvReader::new() } else { CsvReader::tsv() };
    if settings & 2 != 0 {
        reader = reader.column_names(["a", "b"]).column("b", ColumnType::Text);
    }
    if settings & 4 != 0 {
        reader = reader.missing(["?", "NA"]);
    }
    if settings & 8 != 0 {
        reader = reader.limit(64);
    }
    match reader.parse(text, "fuzz") {
        Ok(table) => explore(&table, &mut Choices::new(text)),
        Err(error) => assert!(error.to_string().starts_with("fuzz"), "{error}"),
    }
}

fn explore(table: &Table, choices: &mut Choices<'_>) {
    let names: Vec<&str> = table.names().collect();
    for name in &names {
        let (rows, kept) = match table.column(name).expect("it is one of its names") {
            Column::Numbers(values) => (values.len(), values.iter().all(|x| !x.is_infinite())),
            Column::Texts(texts) => (texts.len(), true),
            Column::Categories { codes, names } => {
                (codes.len(), codes.iter().flatten().all(|&code| code < names.len()))
            }
            other => panic!("a kind of column that this target does not know: {other:?}"),
        };
        assert!(rows == table.rows() && kept, "{name}");
        // Errors are right for columns of another kind; panics are not.
        let _ = (table.labels(name), table.texts(name), table.numbers(&[name]));
    }
    if let Ok(features) = table.without_missing().features(&names) {
        assert_eq!(features.values.shape()[1], features.names.len());
    }
    if table.rows() > 0 {
        let rows: Vec<usize> = (0..3).map(|_| choices.below(table.rows())).collect();
        assert_eq!(table.take(&rows).rows(), 3);
    }
}
