use std::path::PathBuf;

use ort::session::Session;
use ort::value::{TensorRef, ValueType};

use super::network::Floats;
use super::*;
use crate::engines::onnx::Runtime;

/// Operators of a set of that version.
fn network(version: u64) -> Network {
    let (mut model, mut operators) = <(Message, Message)>::default();
    operators.number(2, version);
    model.message(7, &Message::default());
    model.message(8, &operators);
    Network::read(model).expect("it has a graph")
}

/// Adds an operator on a value and on constants of these shapes, each filled with its own number.
fn apply(network: &mut Network, operator: &str, input: &str, constants: &[&[usize]]) -> String {
    let mut inputs = vec![input.to_owned()];
    for (number, shape) in constants.iter().enumerate() {
        let values = vec![number as f32 + 0.5; shape.iter().product()];
        inputs.push(network.add(&Floats { shape: shape.to_vec(), values }));
    }
    let made = network.name();
    network.nodes.push(Node::new(operator, inputs, vec![made.clone()]));
    made
}

fn in_depth(network: &mut Network, input: &str, channels: usize) -> String {
    let made = apply(network, "Conv", input, &[&[channels, 1, 3, 3]]);
    network.nodes.last_mut().expect("it was added").set_integer("group", channels as u64);
    made
}

/// Of each operator, the shapes of its constants.
fn shapes(network: &Network) -> Vec<(&str, Vec<Vec<usize>>)> {
    let of = |node: &Node| node.inputs.iter().filter_map(|input| network.shape(input)).collect();
    network.nodes.iter().map(|node| (node.operator.as_str(), of(node))).collect()
}

#[test]
fn thirteen_channels_become_sixteen_and_the_next_filters_do_not_look_at_the_last_three() {
    let mut network = network(13);
    let at = apply(&mut network, "Conv", "input", &[&[13, 3, 1, 1], &[13]]);
    let at = apply(&mut network, "PRelu", &at, &[&[13, 1, 1]]);
    let at = in_depth(&mut network, &at, 13);
    let at = apply(&mut network, "BatchNormalization", &at, &[&[13], &[13], &[13], &[13]]);
    let at = apply(&mut network, "Conv", &at, &[&[5, 13, 1, 1]]);
    apply(&mut network, "Softmax", &at, &[]);
    channels::fill_blocks(&mut network).expect("the shapes fit");
    let wanted: [(&str, Vec<Vec<usize>>); 6] = [
        ("Conv", vec![vec![16, 3, 1, 1], vec![16]]),
        ("PRelu", vec![vec![16, 1, 1]]),
        ("Conv", vec![vec![16, 1, 3, 3]]),
        ("BatchNormalization", vec![vec![16]; 4]),
        ("Conv", vec![vec![5, 16, 1, 1]]),
        ("Softmax", vec![]),
    ];
    assert_eq!(shapes(&network), wanted);
    assert_eq!(network.nodes[2].integer("group"), Some(16));
    let last = network.floats(&network.nodes[4].inputs[1]).expect("it is a constant");
    for filter in last.values.chunks(16) {
        assert_eq!(filter, [[0.5; 13].as_slice(), &[0.0; 3]].concat());
    }
    let variances = network.floats(&network.nodes[3].inputs[4]).expect("it is a constant");
    assert_eq!(variances.values[13..], [1.0; 3]);
}

#[test]
fn channels_stay_as_many_as_others_read() {
    for reader in ["Transpose", "Softmax", "Concat"] {
        let mut network = network(13);
        let at = apply(&mut network, "Conv", "input", &[&[13, 3, 1, 1]]);
        let deep = in_depth(&mut network, &at, 13);
        let sum = network.name();
        network.nodes.push(Node::new("Add", vec![at, deep], vec![sum.clone()]));
        apply(&mut network, reader, &sum, &[]);
        let before = network.nodes.clone();
        channels::fill_blocks(&mut network).expect("the shapes fit");
        assert_eq!(network.nodes, before, "{reader}");
    }
}

#[test]
fn heads_that_read_the_same_become_one_and_keep_their_names() {
    for (version, inputs) in [(11, 1), (13, 2)] {
        let mut network = network(version);
        let at = apply(&mut network, "Conv", "input", &[&[16, 3, 1, 1], &[16]]);
        let heads = [2, 8, 20].map(|count| apply(&mut network, "Conv", &at, &[&[count, 16, 3, 3], &[count]]));
        let other = apply(&mut network, "Conv", "input", &[&[4, 16, 3, 3], &[4]]);
        heads::join_heads(&mut network).expect("the shapes fit");
        let [first, joined, split, last] = network.nodes.as_slice() else { panic!("four are left") };
        assert_eq!((&joined.inputs[0], &first.outputs[0]), (&at, &at));
        assert_eq!(network.shape(&joined.inputs[1]), Some(vec![30, 16, 3, 3]));
        assert_eq!(network.shape(&joined.inputs[2]), Some(vec![30]));
        assert_eq!(
            (split.operator.as_str(), split.inputs.len(), split.outputs.as_slice()),
            ("Split", inputs, heads.as_slice())
        );
        assert_eq!(last.outputs, [other]);
    }
}

#[test]
fn heads_of_whole_blocks_stay_apart() {
    let mut network = network(13);
    for count in [16, 32, 4] {
        apply(&mut network, "Conv", "input", &[&[count, 3, 1, 1]]);
    }
    let before = network.nodes.clone();
    heads::join_heads(&mut network).expect("the shapes fit");
    assert_eq!(network.nodes, before);
}

#[test]
fn what_is_negative_is_bent_by_convolutions_of_each_channel_alone() {
    let mut network = network(13);
    let at = apply(&mut network, "Conv", "input", &[&[16, 3, 1, 1]]);
    let bent = apply(&mut network, "PRelu", &at, &[&[16, 1, 1]]);
    // Of as many columns, not channels.
    apply(&mut network, "PRelu", &bent, &[&[16]]);
    bend::bend_by_convolutions(&mut network);
    let operators: Vec<&str> = network.nodes.iter().map(|node| node.operator.as_str()).collect();
    assert_eq!(operators, ["Conv", "Conv", "Relu", "Conv", "Add", "PRelu"]);
    let factors = |node: &Node| network.floats(&node.inputs[1]).expect("it is a constant").values;
    assert_eq!((factors(&network.nodes[1]), factors(&network.nodes[3])), (vec![-1.0; 16], vec![0.5; 16]));
    assert_eq!((&network.nodes[4].inputs[1], &network.nodes[4].outputs[0]), (&at, &bent));
}

#[test]
fn a_model_with_a_graph_within_its_graph_stays_as_it_is() {
    let mut network = network(13);
    apply(&mut network, "If", "input", &[]);
    let before = apply(&mut network, "Conv", "input", &[&[13, 3, 1, 1]]);
    in_depth(&mut network, &before, 13);
    // `g` of an attribute.
    let mut branch = Message::default();
    branch.message(6, &Message::default());
    network.nodes[0].attributes.push(branch);
    let model = network.write().expect("it is whole").write();
    assert_eq!(for_cpu(model.clone()).expect("it is a model"), model);
}

#[test]
fn a_file_that_is_no_model_is_refused() {
    for file in [&b"GIF89a"[..], b"", b"\x3a\x05ab"] {
        assert!(for_cpu(file.to_vec()).is_err(), "{file:?}");
    }
    assert!(for_batches(b"\x3a\x05ab".to_vec()).is_err());
}

/// On ONNX Runtime and the models at hand; skipped, and says so, where `COUNTERSIGN_MODELS__DIR` names none.
#[test]
fn models_say_the_same_after_as_before() {
    let Some(dir) = models() else { return };
    let mut tried = 0;
    let runtime =
        std::fs::read_dir(&dir).expect("it is a folder").filter_map(|entry| Some(entry.ok()?.path()));
    let library = runtime.filter(|path| path.to_string_lossy().contains("libonnxruntime.so")).max();
    let runtime = Runtime::load(&library.expect("the runtime is there")).expect("it loads");
    for entry in std::fs::read_dir(&dir).expect("it is a folder") {
        let path = entry.expect("it is listed").path();
        if path.extension().is_none_or(|extension| extension != "onnx") {
            continue;
        }
        let before = std::fs::read(&path).expect("it is readable");
        let after = for_cpu(before.clone()).expect("it is a model");
        let (before, after) = (answer(&runtime, &before), answer(&runtime, &after));
        assert_eq!(before.len(), after.len(), "{}", path.display());
        for (before, after) in before.iter().zip(&after) {
            let largest = before.iter().fold(1.0_f32, |largest, value| largest.max(value.abs()));
            let far = before.iter().zip(after).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(
                before.len() == after.len() && far <= 1e-5 * largest,
                "{}: {far} of {largest}",
                path.display()
            );
        }
        tried += 1;
    }
    assert!(tried >= 5, "{tried} models");
}

/// What the model makes of noise.
fn answer(runtime: &Runtime, model: &[u8]) -> Vec<Vec<f32>> {
    let builder = Session::builder(runtime.environment()).expect("it starts");
    let mut builder = builder.with_intra_threads(1).expect("it is settable");
    let mut session = builder.commit_from_memory(model).expect("it loads");
    let ValueType::Tensor { shape, .. } = session.inputs()[0].dtype().clone() else {
        panic!("it takes a tensor")
    };
    let open = [1, 3, 320, 224];
    let shape: Vec<usize> =
        shape.iter().zip(open).map(|(length, open)| usize::try_from(*length).unwrap_or(open)).collect();
    let mut random = 1_u32;
    let noise: Vec<f32> = std::iter::repeat_with(|| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as f32 / 8_388_608.0 - 1.0
    })
    .take(shape.iter().product())
    .collect();
    let view = TensorRef::from_array_view((shape, noise.as_slice())).expect("the shape fits");
    let outputs = session.run(ort::inputs![view]).expect("it runs");
    outputs.values().map(|output| output.try_extract_tensor::<f32>().expect("floats").1.to_vec()).collect()
}

#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn models() -> Option<PathBuf> {
    let dir = std::env::var_os("COUNTERSIGN_MODELS__DIR").map(PathBuf::from).filter(|dir| dir.is_dir());
    if dir.is_none() {
        eprintln!("SKIPPED: COUNTERSIGN_MODELS__DIR names no folder");
    }
    dir
}
