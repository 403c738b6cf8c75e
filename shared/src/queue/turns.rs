//! Whose turn it is when several lanes have work.

use std::cmp::Reverse;

use crate::domain::{Lane, LaneShare};

/// A consumer's lanes, heaviest first, each with the turns that it has left in this round.
///
/// A lane has as many turns in a round as its weight. A round ends when no lane that has work has a turn left, so an
/// idle lane's turns hold nobody up.
pub(super) struct Turns(Vec<Turn>);

struct Turn {
    lane: Lane,
    weight: u32,
    left: u32,
}

impl Turns {
    pub(super) fn new(lanes: &[LaneShare]) -> Self {
        let mut lanes = lanes.to_vec();
        lanes.sort_by_key(|share| Reverse(share.weight));
        let turn = |share: LaneShare| Turn { lane: share.lane, weight: share.weight, left: share.weight };
        Self(lanes.into_iter().map(turn).collect())
    }

    /// The lanes that have a turn left in this round, in their order.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = Lane> {
        self.0.iter().filter(|turn| turn.left > 0).map(|turn| turn.lane)
    }

    /// Takes from the lane whose turn it is; `take` answers `None` for a lane without work.
    pub(super) fn take<Taken>(
        &mut self,
        mut take: impl FnMut(Lane) -> Option<Taken>,
    ) -> Option<(Lane, Taken)> {
        self.take_in_round(&mut take).or_else(|| {
            self.0.iter_mut().for_each(|turn| turn.left = turn.weight);
            self.take_in_round(&mut take)
        })
    }

    fn take_in_round<Taken>(
        &mut self,
        take: &mut impl FnMut(Lane) -> Option<Taken>,
    ) -> Option<(Lane, Taken)> {
        self.0.iter_mut().filter(|turn| turn.left > 0).find_map(|turn| {
            let taken = take(turn.lane)?;
            turn.left -= 1;
            Some((turn.lane, taken))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WEIGHTS: [u32; 4] = [8, 4, 2, 1];

    fn shares() -> Vec<LaneShare> {
        Lane::ALL.into_iter().zip(WEIGHTS).map(|(lane, weight)| LaneShare { lane, weight }).collect()
    }

    fn serve(loads: &mut [usize; 4], turns: &mut Turns) -> Option<Lane> {
        let taken = turns.take(|lane| {
            let load = &mut loads[lane as usize];
            *load = load.checked_sub(1)?;
            Some(())
        });
        taken.map(|(lane, ())| lane)
    }

    proptest! {
        #[test]
        fn every_lane_with_work_is_served_within_one_round(loads in prop::array::uniform4(0_usize..40)) {
            let mut turns = Turns::new(&shares());
            let mut left = loads;
            let served: Vec<Lane> = std::iter::from_fn(|| serve(&mut left, &mut turns)).collect();
            prop_assert_eq!(served.len(), loads.iter().sum::<usize>());
            for (lane, load) in Lane::ALL.into_iter().zip(loads) {
                prop_assert!(load == 0 || served.iter().take(15).any(|other| *other == lane));
            }
        }
    }

    #[test]
    fn lanes_with_work_are_served_by_weight() {
        let mut turns = Turns::new(&shares());
        let (mut left, mut served) = ([20; 4], [0; 4]);
        for _ in 0..15 {
            served[serve(&mut left, &mut turns).expect("there is work") as usize] += 1;
        }
        assert_eq!(served, WEIGHTS);
    }
}
