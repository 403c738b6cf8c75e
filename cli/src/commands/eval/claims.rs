//! Wrong codes to claim: the same ones in every run, so that two evaluations can be compared.

use countersign_shared::domain::Digits;

/// A source of digits that look random and are not: splitmix64.
pub(super) struct Claims(u64);

impl Claims {
    /// Different for every clip, the same for a clip in every run.
    pub(super) fn new(line: usize) -> Self {
        Self(line as u64)
    }

    /// A code that differs in that place, and in no other.
    pub(super) fn one_digit_off(&mut self, code: Digits, place: usize) -> Digits {
        let mut digits = code.values();
        digits[place] = (digits[place] + 1 + self.below(9)) % 10;
        written(digits)
    }

    /// Any code but this.
    pub(super) fn other(&mut self, code: Option<Digits>) -> Digits {
        loop {
            let other = written(std::array::from_fn(|_| self.below(10)));
            if Some(other) != code {
                return other;
            }
        }
    }

    fn below(&mut self, limit: u64) -> u8 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) % limit) as u8
    }
}

fn written(digits: [u8; 6]) -> Digits {
    let text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
    text.parse().expect("six digits are a code; this is a bug")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_the_one_digit_differs() {
        let code: Digits = "905123".parse().expect("six digits");
        for line in 0..50 {
            for place in 0..6 {
                let values = Claims::new(line).one_digit_off(code, place).values();
                let differing: Vec<_> = (0..6).filter(|at| values[*at] != code.values()[*at]).collect();
                assert_eq!(differing, [place]);
            }
        }
    }

    #[test]
    fn a_clip_is_claimed_to_hold_the_same_codes_in_every_run_and_others_than_its_neighbour() {
        let claims = |line| {
            let mut claims = Claims::new(line);
            std::array::from_fn::<_, 5, _>(|_| claims.other(None).values())
        };
        assert_eq!(claims(2), claims(2));
        assert_ne!(claims(2), claims(3));
    }
}
