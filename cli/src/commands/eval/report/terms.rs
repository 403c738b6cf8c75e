//! What the abbreviations on a page mean, in a line each.

const TERMS: [(&str, &str); 12] = [
    ("APCER", "attack presentation classification error rate: attacks that pass, of those that were judged"),
    (
        "BPCER",
        "bona fide presentation classification error rate: genuine people who are refused, of those that were judged",
    ),
    ("ACER", "the mean of the greatest APCER of any species of attack and the BPCER"),
    (
        "APNRR",
        "attack presentation non-response rate: attacks in which nothing could be judged, of all attacks",
    ),
    (
        "BPNRR",
        "bona fide presentation non-response rate: genuine presentations in which nothing could be judged, of all",
    ),
    ("FMR", "false match rate: comparisons of two people that match"),
    ("FNMR", "false non-match rate: comparisons of one person that don't match"),
    ("DET", "detection error trade-off: either error against the other, along all thresholds"),
    (
        "ROC",
        "receiver operating characteristic: matches of one person against false matches, along all thresholds",
    ),
    ("equal error", "the threshold at which both errors are as frequent as each other"),
    ("NO_FACE", "no face was found in the picture"),
    ("95 % interval", "where the true rate is likely to be, given how few or many were tried (Wilson)"),
];

/// Those that stand in the text.
pub(super) fn used(text: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    TERMS.into_iter().filter(move |(term, _)| stands_in(text, term))
}

/// As a word of its own: APCER holds no ACER, and `VIDEO_NO_FACE` is another code.
fn stands_in(text: &str, term: &str) -> bool {
    let is_part =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    text.match_indices(term).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + term.len()..].chars().next());
        !is_part(before) && !is_part(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_on_the_page_is_explained() {
        let terms: Vec<_> = used("greatest APCER, VIDEO_NO_FACE").map(|(term, _)| term).collect();
        assert_eq!(terms, ["APCER"]);
    }
}
