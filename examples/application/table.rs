//! Tables on the terminal.

/// Rows of text, in columns as wide as their widest cell.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<const N: usize>(header: [&str; N]) -> Table {
        Table { rows: vec![header.map(String::from).to_vec()] }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// A row of a name and numbers.
    pub(crate) fn numbers(&mut self, name: &str, numbers: impl IntoIterator<Item = f64>) {
        let numbers = numbers.into_iter().map(|number| format!("{number:.4}"));
        self.row(std::iter::once(name.to_string()).chain(numbers));
    }

    /// The first column to the left, the others to the right, a line below the header.
    pub(crate) fn print(&self) {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell = |row: &Vec<String>, column: usize| row.get(column).cloned().unwrap_or_default();
        let width = |column| self.rows.iter().map(|row| cell(row, column).chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        println!();
        for (index, row) in self.rows.iter().enumerate() {
            let cells: Vec<String> = (0..columns)
                .map(|column| {
                    let (text, width) = (cell(row, column), widths[column]);
                    if column == 0 { format!("{text:<width$}") } else { format!("{text:>width$}") }
                })
                .collect();
            println!("  {}", cells.join("  ").trim_end());
            if index == 0 {
                println!("  {}", "-".repeat(widths.iter().sum::<usize>() + 2 * (columns - 1)));
            }
        }
        println!();
    }
}
