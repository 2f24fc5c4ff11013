//! Lists as CSV, for spreadsheets.

/// A list in CSV (RFC 4180), its header first.
///
/// Spreadsheets take a field for a formula that begins with `=`, `+`, `-`, `@`, a tab or a line end.
/// Such a field gets an apostrophe before it, as OWASP advises.
pub struct Csv {
    columns: usize,
    text: String,
}

impl Csv {
    /// The list with these columns, and no line yet.
    #[must_use]
    pub fn new(header: &[&str]) -> Self {
        let mut csv = Self { columns: header.len(), text: String::new() };
        csv.line(header);
        csv
    }

    /// Adds a line. Fields that it lacks are empty.
    pub fn line(&mut self, fields: &[&str]) {
        let given = fields.iter().copied().chain(std::iter::repeat(""));
        for (place, field) in given.take(self.columns).enumerate() {
            if place > 0 {
                self.text.push(',');
            }
            self.field(field);
        }
        self.text.push_str("\r\n");
    }

    /// The whole list.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    fn field(&mut self, field: &str) {
        let guard =
            if field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { "'" } else { "" };
        let quote = if field.contains([',', '"', '\r', '\n']) { "\"" } else { "" };
        // A field that is not quoted has no quote inside.
        for part in [quote, guard, &field.replace('"', "\"\""), quote] {
            self.text.push_str(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_quoted_when_it_must_be_and_a_short_line_is_filled_up() {
        let mut csv = Csv::new(&["at", "what"]);
        csv.line(&["a, b", "say \"no\""]);
        csv.line(&["two\r\nlines"]);
        let expected = "at,what\r\n\"a, b\",\"say \"\"no\"\"\"\r\n\"two\r\nlines\",\r\n";
        assert_eq!(csv.into_text(), expected);
    }

    #[test]
    fn a_field_that_a_spreadsheet_would_take_for_a_formula_begins_with_an_apostrophe() {
        for start in ["=", "+", "-", "@", "\t"] {
            let mut csv = Csv::new(&[]);
            csv.field(&format!("{start}HYPERLINK(1)"));
            assert_eq!(csv.into_text(), format!("\r\n'{start}HYPERLINK(1)"));
        }
        let mut csv = Csv::new(&["a"]);
        csv.line(&["=1,2"]);
        assert_eq!(csv.into_text(), "a\r\n\"'=1,2\"\r\n");
    }
}
