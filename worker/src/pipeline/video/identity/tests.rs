use std::sync::Arc;

use super::*;
use crate::engines::onnx::FakeInference;
use crate::models::task::{Channels, Embedder, EmbedderFamily};

/// Raw distances are reported as they are times 0.9 / 1.198, as with the default model.
fn embedder() -> FaceEmbedder {
    let model = FakeInference::new(|_| Vec::new());
    let settings = Embedder {
        family: EmbedderFamily::Arcface,
        size: 112,
        channels: Channels::Rgb,
        mean: 127.5,
        divisor: 127.5,
        dimensions: 3,
        operating_distance: 1.198,
        operating_points: Vec::new(),
    };
    FaceEmbedder::new(Arc::clone(&model) as _, settings)
}

/// A person is a direction; each look differs a little.
fn look(person: usize, wobble: f32) -> Embedding {
    let mut values = [0.0_f32; 3];
    values[person] = 1.0;
    values[(person + 1) % 3] += wobble;
    Embedding::normalised(&values).expect("a direction")
}

/// A clip of 30 frames a second, embedded every 250 ms; at each second `who(seconds)` is seen, and cuts are jumps.
fn clip(seconds: f64, cuts: bool, who: impl Fn(f64) -> Option<usize>) -> (Vec<Seen>, Vec<Sample>) {
    let (mut seen, mut samples) = (Vec::new(), Vec::<Sample>::new());
    let (mut segment, mut last, mut embedded_at) = (0, who(0.0), f64::NEG_INFINITY);
    for frame in 0..(seconds * 30.0) as u32 {
        let now = f64::from(frame) / 30.0;
        let person = who(now);
        let jump = cuts && person != last;
        segment += u32::from(jump);
        last = person;
        seen.push(Seen { seconds: now, num_faces: u32::from(person.is_some()), ratio: 0.3, segment });
        if jump || now - embedded_at >= 0.25 - 1e-9 {
            embedded_at = now;
            samples.push(Sample {
                frame,
                seconds: now,
                segment,
                num_faces: u32::from(person.is_some()),
                bounds: None,
                embedding: person.map(|person| look(person, 0.2 * (frame % 3) as f32)),
                liveness: None,
            });
        }
    }
    (seen, samples)
}

fn identity(seconds: f64, cuts: bool, who: impl Fn(f64) -> Option<usize>) -> Identity {
    let (seen, samples) = clip(seconds, cuts, who);
    Identity::of(&seen, &samples, &embedder())
}

#[test]
fn one_person_throughout_is_the_same_in_every_frame() {
    let found = identity(3.5, true, |_| Some(0));
    assert!((found.sameness - 1.0).abs() < f64::EPSILON && !found.exchanged);
    assert!(found.drift.iter().flatten().all(|drift| *drift < 0.3));
}

#[test]
fn a_replaced_second_is_noticed_wherever_it_is() {
    for start in [0.0, 0.1, 1.0, 1.37, 2.5] {
        for cuts in [true, false] {
            let found = identity(3.5, cuts, |now| Some(usize::from(now >= start && now < start + 1.0)));
            assert!(found.sameness < 0.9, "from {start}: {}", found.sameness);
            assert!(found.exchanged, "from {start}");
        }
    }
}

#[test]
fn a_replaced_half_second_of_a_minute_is_noticed() {
    let found = identity(60.0, true, |now| Some(usize::from((30.0..30.5).contains(&now))));
    assert!(found.sameness > 0.9);
    assert!(found.exchanged);
}

#[test]
fn one_odd_look_is_no_exchange() {
    let (seen, mut samples) = clip(3.5, false, |_| Some(0));
    samples[6].embedding = Some(look(1, 0.0));
    let found = Identity::of(&seen, &samples, &embedder());
    assert!(found.sameness > 0.9 && !found.exchanged, "{}", found.sameness);
}

#[test]
fn someone_else_who_hides_between_two_seconds_without_a_face_is_noticed() {
    let who = |now: f64| match now {
        now if (2.0..2.6).contains(&now) => Some(1),
        now if (1.5..3.0).contains(&now) => None,
        _ => Some(0),
    };
    assert!(identity(20.0, true, who).exchanged);
}

#[test]
fn frames_without_a_face_are_not_the_same_face() {
    let found = identity(4.0, true, |now| (now < 3.0).then_some(0));
    assert!((found.sameness - 0.75).abs() < 0.02 && !found.exchanged, "{}", found.sameness);
    let nobody = identity(2.0, true, |_| None);
    assert!(nobody.sameness.abs() < f64::EPSILON && !nobody.exchanged);
}
