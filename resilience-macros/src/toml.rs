//! The keys and values of a TOML file. The file is valid: Cargo has read it before.

/// A table, or a value. The value of a string is the text inside the quotes, a list has a value for
/// each element, and a table has an empty value.
#[derive(Debug, PartialEq)]
pub(crate) struct Entry {
    /// The keys that lead to the value: `dependencies`, `serde`, `version`.
    pub(crate) path: Vec<String>,
    pub(crate) value: String,
}

/// Returns the tables and values of a TOML file, in the order of the file.
pub(crate) fn entries(text: &str) -> Vec<Entry> {
    let mut reader = Reader { rest: text.trim_start_matches('\u{feff}'), entries: Vec::new() };
    let mut table = Vec::new();
    loop {
        reader.skip_blank();
        if reader.rest.is_empty() {
            return reader.entries;
        }
        if reader.eat("[") {
            reader.eat("[");
            table = reader.path();
            reader.add(&table, "");
            reader.skip_line();
        } else {
            reader.entry(&table);
        }
    }
}

/// Reads from the start of the rest. Every call of `entry`, and of `value` inside a list, takes at
/// least one character of a text that is no TOML, too.
struct Reader<'t> {
    rest: &'t str,
    entries: Vec<Entry>,
}

impl<'t> Reader<'t> {
    fn add(&mut self, path: &[String], value: &str) {
        self.entries.push(Entry { path: path.to_vec(), value: value.to_owned() });
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Takes the text in front of the first character that ends it.
    fn take_until(&mut self, is_end: impl Fn(char) -> bool) -> &'t str {
        let (taken, rest) = self.rest.split_at(self.rest.find(is_end).unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn skip_line(&mut self) {
        self.take_until(|c| c == '\n');
    }

    fn skip_spaces(&mut self) {
        self.take_until(|c| !matches!(c, ' ' | '\t'));
    }

    /// Skips white space, the ends of lines, and comments.
    fn skip_blank(&mut self) {
        loop {
            self.take_until(|c| !c.is_whitespace());
            if !self.rest.starts_with('#') {
                return;
            }
            self.skip_line();
        }
    }

    /// Skips the separators of a list or an inline table. Returns whether the end is reached.
    fn ends_group(&mut self) -> bool {
        self.skip_blank();
        while self.eat(",") {
            self.skip_blank();
        }
        self.rest.is_empty() || self.eat("]") || self.eat("}")
    }

    /// Reads keys with dots in between.
    fn path(&mut self) -> Vec<String> {
        let mut path = Vec::new();
        loop {
            self.skip_spaces();
            path.push(self.string().unwrap_or_else(|| {
                let is_end = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'));
                self.take_until(is_end).to_owned()
            }));
            self.skip_spaces();
            if !self.eat(".") {
                return path;
            }
        }
    }

    /// Reads `key = value` in a table.
    fn entry(&mut self, table: &[String]) {
        let mut path = table.to_vec();
        path.extend(self.path());
        if self.eat("=") {
            self.value(&path);
        } else {
            self.skip_line();
        }
    }

    fn value(&mut self, path: &[String]) {
        self.skip_spaces();
        if let Some(text) = self.string() {
            self.add(path, &text);
        } else if self.eat("{") {
            self.add(path, "");
            while !self.ends_group() {
                self.entry(path);
            }
        } else if self.eat("[") {
            while !self.ends_group() {
                self.value(path);
            }
        } else {
            let word = self.take_until(|c| matches!(c, ',' | ']' | '}' | '#' | '\n'));
            self.add(path, word.trim_end());
        }
    }

    /// Reads a text in quotes of any kind. Escaped characters stay as written: no name of a package
    /// needs them.
    fn string(&mut self) -> Option<String> {
        let quotes = ["\"\"\"", "'''", "\"", "'"];
        let quote = quotes.into_iter().find(|quote| self.eat(quote))?;
        let mut text = String::new();
        while !self.rest.is_empty() && !self.eat(quote) {
            let is_escape = quote.starts_with('"') && self.rest.starts_with('\\');
            let mut chars = self.rest.chars();
            text.extend(chars.by_ref().take(if is_escape { 2 } else { 1 }));
            self.rest = chars.as_str();
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the entries of a text, each as `path = value`.
    fn read(text: &str) -> Vec<String> {
        let shown = |Entry { path, value }: Entry| format!("{} = {value}", path.join(" "));
        entries(text).into_iter().map(shown).collect()
    }

    #[test]
    fn every_form_of_a_key_is_read() {
        let text = "\u{feff}first = 1 # a comment\r\n\
            a.b . \"c.d\" = true\r\n\
            # [comment]\r\n\
            [ table . 'x.y' ] # a comment\r\n\
            key=2\n\
            [[list]]\n\
            key = 3";
        let expected = [
            "first = 1",
            "a b c.d = true",
            "table x.y = ",
            "table x.y key = 2",
            "list = ",
            "list key = 3",
        ];
        assert_eq!(read(text), expected);
    }

    #[test]
    fn every_form_of_a_value_is_read() {
        let text = r#"
            basic = "a \"b\" # c"
            literal = 'a\' # a comment
            empty = ""
            inline = { x = "1", y.z = [2, "]"], w = {} }
            list = [
                "a", # ]
                { b = 'c' },
            ]
            [next]
        "#;
        let expected = [
            r#"basic = a \"b\" # c"#,
            r"literal = a\",
            "empty = ",
            "inline = ",
            "inline x = 1",
            "inline y z = 2",
            "inline y z = ]",
            "inline w = ",
            "list = a",
            "list = ",
            "list b = c",
            "next = ",
        ];
        assert_eq!(read(text), expected);
    }

    #[test]
    fn lines_in_a_text_are_no_entries() {
        let text =
            "text = \"\"\"\n[table]\nkey = \"a\" \\\"\"\"\n\"\"\"\nliteral = '''\nx = 1'''\n";
        let expected = ["text = \n[table]\nkey = \"a\" \\\"\"\"\n", "literal = \nx = 1"];
        assert_eq!(read(text), expected);
    }

    #[test]
    fn a_text_that_is_no_toml_ends() {
        for text in
            ["[", "a", "=", "a = [", "a = [}", "a = {", "a = { b c = 1", "a = \"b", "\\", "}"]
        {
            entries(text);
        }
    }
}
