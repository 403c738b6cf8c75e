//! Whose turn it is: earlier lanes first and more often, later ones never starved.

use super::lanes::Lanes;
use crate::domain::Lane;
use crate::queue::JobMessage;

/// A consumer's lanes, most urgent first, each with the turns that it has left in this round.
///
/// A lane gets twice the turns of the one after it. A round ends when no lane that has work has a turn left, so an idle
/// lane's turns hold nobody up.
pub(super) struct Turns(Vec<Turn>);

struct Turn {
    lane: Lane,
    weight: u32,
    left: u32,
}

impl Turns {
    pub(super) fn new(lanes: &[Lane]) -> Self {
        let turn = |(index, lane): (usize, &Lane)| {
            let weight = 1 << (lanes.len() - 1 - index).min(16);
            Turn { lane: *lane, weight, left: weight }
        };
        Self(lanes.iter().enumerate().map(turn).collect())
    }

    pub(super) fn take(&mut self, lanes: &mut Lanes) -> Option<(Lane, JobMessage)> {
        self.take_in_round(lanes).or_else(|| {
            self.0.iter_mut().for_each(|turn| turn.left = turn.weight);
            self.take_in_round(lanes)
        })
    }

    fn take_in_round(&mut self, lanes: &mut Lanes) -> Option<(Lane, JobMessage)> {
        self.0.iter_mut().filter(|turn| turn.left > 0).find_map(|turn| {
            let message = lanes.take(turn.lane)?;
            turn.left -= 1;
            Some((turn.lane, message))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::VerificationId;

    proptest! {
        #[test]
        fn every_lane_with_work_is_served_within_one_round(loads in prop::array::uniform4(0_usize..40)) {
            let mut lanes = Lanes::new(1000);
            for (lane, load) in Lane::ALL.into_iter().zip(loads) {
                for _ in 0..load {
                    lanes.publish(lane, JobMessage::new(VerificationId::new(), None)).expect("room");
                }
            }
            let mut turns = Turns::new(&Lane::ALL);
            let mut served = Vec::new();
            while let Some((lane, _)) = turns.take(&mut lanes) {
                served.push(lane);
            }
            prop_assert_eq!(served.len(), loads.iter().sum::<usize>());
            for (lane, load) in Lane::ALL.into_iter().zip(loads) {
                // 8 + 4 + 2 + 1 turns are a round.
                prop_assert!(load == 0 || served.iter().take(15).any(|other| *other == lane));
            }
        }
    }

    #[test]
    fn an_earlier_lane_gets_twice_the_turns_of_the_next() {
        let mut lanes = Lanes::new(1000);
        for lane in Lane::ALL {
            for _ in 0..20 {
                lanes.publish(lane, JobMessage::new(VerificationId::new(), None)).expect("room");
            }
        }
        let mut turns = Turns::new(&Lane::ALL);
        let mut served = [0; 4];
        for _ in 0..15 {
            let (lane, _) = turns.take(&mut lanes).expect("there is work");
            served[lane as usize] += 1;
        }
        assert_eq!(served, [8, 4, 2, 1]);
    }
}
