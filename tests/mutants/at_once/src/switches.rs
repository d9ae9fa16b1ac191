//! Writes all changes of a file into one source text, each behind `crate::mutant(NUMBER)`.

use crate::changes::{Change, Place};
use proc_macro2::{LineColumn, Span};
use std::collections::HashMap;
use std::ops::Range;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// A source text with switches.
pub(crate) struct Switched {
    pub(crate) text: String,
    /// The parts of the text that an error of the compiler can name, with their changes.
    pub(crate) parts: Vec<Part>,
}

/// A part of the text with code for some changes.
pub(crate) struct Part {
    pub(crate) range: Range<usize>,
    pub(crate) changes: Vec<usize>,
    /// Whether an error means that the change does not compile, with or without a switch.
    pub(crate) is_changed: bool,
}

/// The selection of a change, for the end of the root file of the crate. The compiler runs the
/// unchanged code. A trace allocates at its start only, because some tests count allocations.
pub(crate) const SELECTOR: &str = r#"
#[doc(hidden)]
pub const fn mutant(number: usize) -> bool {
    const fn unchanged(_: usize) -> bool {
        false
    }
    core::intrinsics::const_eval_select((number,), unchanged, selected)
}

#[inline(never)]
fn selected(number: usize) -> bool {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicBool, Ordering};
    static SELECTED: LazyLock<Option<usize>> =
        LazyLock::new(|| std::env::var("MUTANT").ok()?.parse().ok());
    static TRACE: LazyLock<Option<std::fs::File>> = LazyLock::new(|| {
        let path = std::env::var_os("MUTANT_TRACE")?;
        std::fs::OpenOptions::new().append(true).create(true).open(path).ok()
    });
    static SEEN: [AtomicBool; 10_000] = [const { AtomicBool::new(false) }; 10_000];
    if let Some(mut trace) = TRACE.as_ref() {
        if !SEEN[number].swap(true, Ordering::Relaxed) {
            let _ = std::io::Write::write_fmt(&mut trace, format_args!("{number}\n"));
        }
    }
    *SELECTED == Some(number)
}
"#;

/// The attributes that `SELECTOR` needs, for the start of the root file.
pub(crate) const SELECTOR_FEATURES: &str =
    "#![feature(core_intrinsics, const_eval_select)]\n#![allow(internal_features)]\n";

/// Writes switches into the text of a file. A change without a part in the result has no switch,
/// because the code runs in the compiler only, or because two values would need one type.
///
/// A changed operator keeps its operands, whatever its precedence.
pub(crate) fn write(source: &str, changes: &[&Change]) -> Switched {
    let mut by_place: HashMap<(&str, Place), Vec<(usize, &str)>> = HashMap::new();
    for change in changes {
        let place = by_place.entry((&change.genre, change.start)).or_default();
        place.push((change.number, &change.replacement));
    }
    let lines = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1));
    let mut writer = Writer { source, lines: lines.collect(), by_place, insertions: Vec::new() };
    let has_switch = |change: &&&Change| change.genre == "FnValue" && !change.is_opaque;
    for change in changes.iter().filter(has_switch) {
        writer.replace_value(change);
    }
    writer.visit_file(&syn::parse_file(source).expect("a file that compiles"));
    writer.finish()
}

/// Writes a change without a switch.
pub(crate) fn write_one(source: &str, change: &Change) -> String {
    let offset = |(line, column): Place| {
        let before: usize = source.split_inclusive('\n').take(line - 1).map(str::len).sum();
        before + source[before..].chars().take(column - 1).map(char::len_utf8).sum::<usize>()
    };
    let (before, after) = (&source[..offset(change.start)], &source[offset(change.end)..]);
    format!("{before}{}{after}", change.replacement)
}

struct Writer<'a> {
    source: &'a str,
    /// The offset of each line.
    lines: Vec<usize>,
    by_place: HashMap<(&'a str, Place), Vec<(usize, &'a str)>>,
    insertions: Vec<Insertion>,
}

/// A text to insert at an offset.
struct Insertion {
    at: usize,
    side: Side,
    /// The length of the expression that opens or closes here.
    length: usize,
    text: String,
    /// Replacements, as ranges of `text`.
    replacements: Vec<(usize, Range<usize>)>,
    /// The changes of the opened expression.
    changes: Vec<usize>,
    /// As in [`Part`], for these changes.
    is_changed: bool,
}

/// Texts at one offset are inserted in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Closes,
    /// The text stands alone.
    Alone,
    Opens,
}

impl<'a> Writer<'a> {
    fn offset(&self, place: LineColumn) -> usize {
        let rest = &self.source[self.lines[place.line - 1]..];
        let column = rest.char_indices().nth(place.column).map_or(rest.len(), |(at, _)| at);
        self.lines[place.line - 1] + column
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.offset(span.start())..self.offset(span.end())
    }

    fn text(&self, range: Range<usize>) -> &'a str {
        &self.source[range]
    }

    fn changes(&self, genre: &str, span: Span) -> Vec<(usize, &'a str)> {
        let place = (span.start().line, span.start().column + 1);
        self.by_place.get(&(genre, place)).cloned().unwrap_or_default()
    }

    /// Surrounds an expression: `(if crate::mutant(1) { CHANGED } else { ORIGINAL })`.
    fn surround(&mut self, range: Range<usize>, alternatives: Vec<(usize, String)>) {
        if alternatives.is_empty() {
            return;
        }
        let mut opening = Insertion::new(range.start, Side::Opens, range.len());
        opening.text.push('(');
        for (number, alternative) in alternatives {
            opening.text.push_str(&format!("if crate::mutant({number}) {{ "));
            opening.replace(number, &alternative);
            opening.text.push_str(" } else ");
        }
        opening.text.push_str("{ ");
        self.insertions.push(opening);
        self.close(range, " })");
    }

    fn close(&mut self, range: Range<usize>, text: &str) {
        let mut closing = Insertion::new(range.end, Side::Closes, range.len());
        closing.text.push_str(text);
        self.insertions.push(closing);
    }

    /// Returns early from a function.
    fn replace_value(&mut self, change: &Change) {
        let number = change.number;
        let offset = |(line, column): Place| self.offset(LineColumn { line, column: column - 1 });
        let body = offset(change.start)..offset(change.function_end) - 1;
        let mut early = Insertion::new(body.start, Side::Opens, body.len());
        early.text.push_str(&format!("if crate::mutant({number}) {{ return "));
        early.replace(number, &change.replacement);
        early.text.push_str("; } ");
        self.insertions.push(early);
        self.close(body, "");
    }

    fn finish(mut self) -> Switched {
        self.insertions.sort_by_key(|insertion| {
            let Insertion { at, side, length, .. } = *insertion;
            // Of two expressions, the longer one opens first and closes last.
            (at, side, if side == Side::Opens { usize::MAX - length } else { length })
        });
        let (mut text, mut parts, mut open) = (String::new(), Vec::new(), Vec::new());
        let mut copied = 0;
        for insertion in self.insertions {
            text.push_str(&self.source[copied..insertion.at]);
            copied = insertion.at;
            let start = text.len();
            text.push_str(&insertion.text);
            for (number, range) in insertion.replacements {
                let range = start + range.start..start + range.end;
                parts.push(Part { range, changes: vec![number], is_changed: true });
            }
            let whole = match insertion.side {
                Side::Opens => {
                    open.push((start, insertion.changes, insertion.is_changed));
                    None
                }
                Side::Alone => None,
                Side::Closes => open.pop(),
            };
            if let Some((start, changes, is_changed)) = whole {
                parts.push(Part { range: start..text.len(), changes, is_changed });
            }
        }
        text.push_str(&self.source[copied..]);
        Switched { text, parts }
    }
}

impl Insertion {
    fn new(at: usize, side: Side, length: usize) -> Self {
        let (text, replacements, changes) = (String::new(), Vec::new(), Vec::new());
        Self { at, side, length, text, replacements, changes, is_changed: false }
    }

    fn replace(&mut self, number: usize, code: &str) {
        let start = self.text.len();
        self.text.push_str(code);
        self.replacements.push((number, start..self.text.len()));
        self.changes.push(number);
    }
}

impl<'ast> Visit<'ast> for Writer<'_> {
    // The compiler computes constants: a switch in the process cannot change them.
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let (left, right) = (self.range(binary.left.span()), self.range(binary.right.span()));
        // A chain of `let` conditions cannot move into a block.
        if !has_let(&binary.left) && !has_let(&binary.right) {
            let alternatives = self.changes("BinaryOperator", binary.op.span());
            let (before, after) = (self.text(left.clone()), self.text(right.clone()));
            let write = |(number, operator)| (number, format!("{before} {operator} {after}"));
            self.surround(left.start..right.end, alternatives.into_iter().map(write).collect());
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        let alternatives = self.changes("UnaryOperator", unary.op.span());
        let operand = self.text(self.range(unary.expr.span()));
        let write = |(number, operator)| (number, format!("{operator}{operand}"));
        self.surround(self.range(unary.span()), alternatives.into_iter().map(write).collect());
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_match(&mut self, value: &'ast syn::ExprMatch) {
        let mut without_guard = Vec::new();
        for arm in &value.arms {
            let left_out = self.changes("MatchArm", arm.span());
            if let Some((_, guard)) = &arm.guard {
                let guard = guard.span();
                let alternatives = self.changes("MatchArmGuard", guard);
                let alternatives =
                    alternatives.into_iter().map(|(number, code)| (number, code.to_owned()));
                let alternatives = left_out
                    .into_iter()
                    .map(|(number, _)| (number, "false".to_owned()))
                    .chain(alternatives)
                    .collect();
                self.surround(self.range(guard), alternatives);
                continue;
            }
            // An omitted arm is an arm with a guard that never holds.
            for (number, _) in left_out {
                let mut guard = Insertion::new(self.range(arm.pat.span()).end, Side::Alone, 0);
                guard.text.push_str(" if ");
                guard.replace(number, &format!("!crate::mutant({number})"));
                self.insertions.push(guard);
                without_guard.push(number);
            }
        }
        // The compiler names the whole expression if the other arms do not cover every value.
        let range = self.range(value.span());
        let whole = Insertion::new(range.start, Side::Opens, range.len());
        self.insertions.push(Insertion { changes: without_guard, is_changed: true, ..whole });
        self.close(range, "");
        visit::visit_expr_match(self, value);
    }

    fn visit_expr_struct(&mut self, value: &'ast syn::ExprStruct) {
        let whole = self.range(value.span());
        let mut alternatives = Vec::new();
        for field in &value.fields {
            for (number, _) in self.changes("StructField", field.span()) {
                let range = self.range(field.span());
                let rest = self.text(range.end..whole.end);
                let rest = rest.trim_start().strip_prefix(',').unwrap_or(rest);
                let before = self.text(whole.start..range.start);
                alternatives.push((number, format!("{before}{rest}")));
            }
        }
        self.surround(whole, alternatives);
        visit::visit_expr_struct(self, value);
    }
}

fn has_let(condition: &syn::Expr) -> bool {
    match condition {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}
