//! Which points of a long curve are kept: it is read where errors are few.

/// Ranks from 1 to `count`, all of them where that takes no more than `most`; else closer together the smaller they are.
pub(super) fn ranks(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (1..=count).collect();
    }
    let last = most.saturating_sub(1).max(1);
    let mut ranks: Vec<usize> = (0..=last)
        .map(|step| ((count as f64).powf(step as f64 / last as f64) + 1e-9) as usize)
        .map(|rank| rank.clamp(1, count))
        .collect();
    ranks.dedup();
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ranks_are_all_there_and_the_last_one_is() {
        assert_eq!(ranks(4, 10), [1, 2, 3, 4]);
        let kept = ranks(1_000_000, 100);
        assert!(kept.len() <= 100 && kept.starts_with(&[1, 2, 3, 4]) && kept.ends_with(&[1_000_000]));
        assert!(ranks(0, 10).is_empty());
    }
}
