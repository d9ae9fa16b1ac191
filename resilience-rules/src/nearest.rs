//! The nearest of the known words, for "did you mean".

/// Returns the known key at a distance of at most two edits.
#[must_use]
pub fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let distances = known.iter().map(|key| (edits(name, key), *key));
    let (distance, key) = distances.min_by_key(|(distance, _)| *distance)?;
    // Two edits turn any word of three letters into any word of that length.
    (distance <= 2 && distance * 2 <= key.len().max(name.len())).then_some(key)
}

/// Returns the Levenshtein distance.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            let above = *cell;
            *cell = (corner + usize::from(from != *to)).min(above + 1).min(left + 1);
            (corner, left) = (above, *cell);
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
