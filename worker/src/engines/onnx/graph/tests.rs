use std::path::PathBuf;

use ort::session::Session;
use ort::value::{TensorRef, ValueType};

use super::network::Floats;
use super::*;
use crate::engines::onnx::Runtime;
use crate::onnx_file::{
    ATTRIBUTE_GRAPH, ATTRIBUTE_INTEGERS, ELEMENT, GRAPH, INITIALIZER, INPUT, IS_FLOAT, IS_INT64, LOCATION,
    OPERATOR_SET, RAW, TENSOR_NAME, VALUE_NAME, VERSION, tensor,
};

/// Operators of a set of that version.
fn network(version: u64) -> Network {
    let (mut model, mut operators) = <(Message, Message)>::default();
    operators.number(VERSION, version);
    model.message(GRAPH, &Message::default());
    model.message(OPERATOR_SET, &operators);
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
    for version in [11, 13] {
        let mut network = network(version);
        let at = apply(&mut network, "Conv", "input", &[&[16, 3, 1, 1], &[16]]);
        let heads = [2_u8, 8, 20].map(|count| {
            let filters = usize::from(count);
            let head = apply(&mut network, "Conv", &at, &[&[filters, 16, 3, 3]]);
            let shifts = Floats { shape: vec![filters], values: vec![f32::from(count); filters] };
            let shifts = network.add(&shifts);
            network.nodes.last_mut().expect("it was added").inputs.push(shifts);
            head
        });
        let other = apply(&mut network, "Conv", "input", &[&[4, 16, 3, 3], &[4]]);
        heads::join_heads(&mut network).expect("the shapes fit");
        let [first, joined, split, last] = network.nodes.as_slice() else { panic!("four are left") };
        assert_eq!((&joined.inputs[0], &first.outputs[0]), (&at, &at));
        assert_eq!(network.shape(&joined.inputs[1]), Some(vec![30, 16, 3, 3]));
        let shifts = network.floats(&joined.inputs[2]).expect("they are constants").values;
        assert_eq!(shifts, [[2.0; 2].as_slice(), &[8.0; 8], &[20.0; 20]].concat());
        assert_eq!(
            (split.operator.as_str(), split.integer("axis"), split.outputs.as_slice()),
            ("Split", Some(1), heads.as_slice())
        );
        assert_eq!(last.outputs, [other]);
        let split = split.clone();
        assert_eq!(lengths(network, &split, version), [2, 8, 20]);
    }
}

/// Of a split: an attribute, and an input since version 13.
fn lengths(network: Network, split: &Node, version: u64) -> Vec<u64> {
    if version < 13 {
        return split.attributes[1].numbers(ATTRIBUTE_INTEGERS).expect("they are numbers");
    }
    let model = network.write().expect("it is whole");
    let graph = Message::read(model.last(GRAPH).expect("it is there")).expect("it is a graph");
    let mut constants = graph.all(INITIALIZER).map(|constant| Message::read(constant).expect("it is one"));
    let named = |constant: &Message| constant.texts(TENSOR_NAME) == Ok(vec![split.inputs[1].clone()]);
    let lengths = constants.find(named).expect("it is a constant");
    assert_eq!(lengths.numbers(ELEMENT), Ok(vec![IS_INT64]));
    let (values, _) = lengths.last(RAW).expect("it has values").as_chunks();
    values.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect()
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

/// The file of a network whose channels would be filled up.
fn file(network: Network) -> Message {
    let model = network.write().expect("it is whole");
    assert!(for_cpu(&model.write().into()).is_some());
    model
}

fn pruned() -> Network {
    let mut network = network(13);
    let at = apply(&mut network, "Conv", "input", &[&[13, 3, 1, 1]]);
    let at = in_depth(&mut network, &at, 13);
    apply(&mut network, "Conv", &at, &[&[4, 13, 1, 1]]);
    network
}

#[test]
fn constants_that_an_old_file_names_among_its_inputs_are_no_inputs_afterwards() {
    let network = pruned();
    let filters = network.nodes[0].inputs[1].clone();
    let mut model = file(network);
    let named = |name: &str| {
        let mut value = Message::default();
        value.text(VALUE_NAME, name);
        value
    };
    let inputs = |graph: &mut Message| {
        graph.message(INPUT, &named("input"));
        graph.message(INPUT, &named(&filters));
        Ok(())
    };
    model.change(GRAPH, inputs).expect("it has a graph");
    let after = for_cpu(&model.write().into()).expect("it is rewritten");
    let graph = Message::read(Message::read(&after).expect("a model").last(GRAPH).expect("a graph"));
    let inputs: Vec<Message> =
        graph.expect("a graph").all(INPUT).map(|value| Message::read(value).expect("a value")).collect();
    assert_eq!(inputs, [named("input")]);
}

#[test]
fn names_of_a_file_that_was_rewritten_before_are_not_given_again() {
    let network = pruned();
    let before: Vec<String> = network.nodes.iter().flat_map(|node| node.outputs.clone()).collect();
    let mut again = Network::read(network.write().expect("it is whole")).expect("it is a model");
    let name = again.name();
    assert!(!before.contains(&name) && again.shape(&name).is_none(), "{name}");
}

#[test]
fn a_model_with_a_graph_within_its_graph_stays_as_it_is() {
    let mut network = pruned();
    apply(&mut network, "If", "input", &[]);
    let mut branch = Message::default();
    branch.message(ATTRIBUTE_GRAPH, &Message::default());
    network.nodes[3].attributes.push(branch);
    assert_eq!(for_cpu(&network.write().expect("it is whole").write().into()), None);
}

#[test]
fn a_model_with_constants_in_other_files_stays_as_it_is() {
    let mut model = file(pruned());
    let mut elsewhere = tensor("elsewhere", &[2], IS_FLOAT, vec![]);
    elsewhere.0.retain(|(field, _)| *field != RAW);
    elsewhere.number(LOCATION, 1);
    let add = |graph: &mut Message| {
        graph.message(INITIALIZER, &elsewhere);
        Ok(())
    };
    model.change(GRAPH, add).expect("it has a graph");
    assert_eq!(for_cpu(&model.write().into()), None);
}

#[test]
fn convolutions_with_odd_shifts_or_sizes_are_left_alone() {
    let odd: [(&[usize], usize); 4] = [(&[], 1), (&[1], 1), (&[12], 12), (&[usize::MAX, 2], 13)];
    for (shape, count) in odd {
        let mut network = pruned();
        let shifts = tensor("shifts", shape, IS_FLOAT, vec![0; count * size_of::<f32>()]);
        network.nodes[0].inputs.push("shifts".to_owned());
        let mut model = network.write().expect("it is whole");
        let add = |graph: &mut Message| {
            graph.message(INITIALIZER, &shifts);
            Ok(())
        };
        model.change(GRAPH, add).expect("it has a graph");
        let after = for_cpu(&model.write().into()).expect("it is rewritten");
        let after = Network::read(Message::read(&after).expect("a model")).expect("it has a graph");
        assert_eq!(after.shape(&after.nodes[0].inputs[1]), Some(vec![13, 3, 1, 1]), "{shape:?}");
    }
}

#[test]
fn what_is_no_model_is_left_to_the_runtime() {
    for file in [&b"GIF89a"[..], b"", b"\x3a\x05ab"] {
        assert_eq!(for_cpu(&Bytes::from_static(file)), None, "{file:?}");
    }
    assert!(for_batches(&Bytes::from_static(b"\x3a\x05ab")).is_err());
}

/// On ONNX Runtime and the models at hand; skipped, and says so, where `COUNTERSIGN_MODELS__DIR` names none.
#[test]
fn models_say_the_same_after_as_before() {
    let Some(dir) = models() else { return };
    let (mut tried, mut rewritten) = (0, 0);
    let runtime =
        std::fs::read_dir(&dir).expect("it is a folder").filter_map(|entry| Some(entry.ok()?.path()));
    let library = runtime.filter(|path| path.to_string_lossy().contains("libonnxruntime.so")).max();
    let runtime = Runtime::load(&library.expect("the runtime is there")).expect("it loads");
    for entry in std::fs::read_dir(&dir).expect("it is a folder") {
        let path = entry.expect("it is listed").path();
        if path.extension().is_none_or(|extension| extension != "onnx") {
            continue;
        }
        let before = Bytes::from(std::fs::read(&path).expect("it is readable"));
        let after = for_cpu(&before).expect("it is a model that is understood");
        rewritten += usize::from(after != before);
        let (before, after) = (answer(&runtime, &before), answer(&runtime, &after));
        assert_eq!(before.len(), after.len(), "{}", path.display());
        for (before, after) in before.iter().zip(&after) {
            let largest = before.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5 * largest;
            assert!(
                before.len() == after.len() && before.iter().zip(after).all(near),
                "{} of at most {largest}",
                path.display()
            );
        }
        tried += 1;
    }
    assert!(tried >= 5 && rewritten >= 5, "{rewritten} of {tried} models");
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
