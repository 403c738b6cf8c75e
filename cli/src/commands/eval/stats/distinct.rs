//! What is given twice counts once: to look at the same thing again is no further evidence.

use std::collections::HashSet;
use std::hash::Hash;

/// The first of each key, in their order, and how many others there were.
pub(in super::super) fn distinct<T, K: Eq + Hash>(
    given: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> (Vec<T>, usize) {
    let (mut known, mut first, mut repeated) = (HashSet::new(), Vec::new(), 0);
    for item in given {
        if known.insert(key(&item)) { first.push(item) } else { repeated += 1 }
    }
    (first, repeated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_each_stays_and_the_others_are_counted() {
        let (first, repeated) = distinct(["one", "two", "three", "two", "six"], |word| word.len());
        assert_eq!((first, repeated), (vec!["one", "three"], 3));
    }
}
