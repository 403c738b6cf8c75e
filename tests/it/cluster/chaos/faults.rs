//! What goes wrong, in a random order that a seed repeats.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::cluster::installation::Installation;
use crate::cluster::node::Node;
use crate::cluster::servers::Server;

const TICK: Duration = Duration::from_millis(50);

/// Before the first fault. RabbitMQ (3.10) writes down the name of a new quorum queue half a second after it was declared,
/// and for good loses a queue when it is killed before: that is not what is tried here.
const AFTER_START: Duration = Duration::from_secs(2);

/// Between two faults; several last at the same time.
const GAP: (Duration, Duration) = (Duration::from_millis(300), Duration::from_millis(2500));

/// A supervisor does not start the same process more often.
const RESTARTS_EVERY: Duration = Duration::from_secs(1);

/// How long everything may take to be ready again at the end.
const READY_WITHIN: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum How {
    Kill,
    Pause,
    Cut,
}

/// What kind of thing is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Whom {
    FrontEnd,
    Worker,
    Server(Server),
}

/// A thing that is struck. Nodes are counted front ends first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Target {
    Node(usize),
    /// A node's wires: to that server, or to all.
    Wires(usize, Option<Server>),
    Server(Server),
}

pub(super) struct Faults {
    random: StdRng,
    ahead: Vec<(How, Whom)>,
    struck: BTreeMap<(Whom, How), u32>,
    /// Processes that ended by themselves and were started again, as a supervisor does.
    restarts: u32,
    /// When a node was last started so.
    started: HashMap<usize, Instant>,
    mending: Vec<(Instant, How, Target)>,
    starting: JoinSet<Server>,
    /// What is not well.
    busy: HashSet<Target>,
}

impl Whom {
    const ALL: [Self; 6] = [
        Self::FrontEnd,
        Self::Worker,
        Self::Server(Server::Postgres),
        Self::Server(Server::Rabbitmq),
        Self::Server(Server::Redis),
        Self::Server(Server::S3),
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::FrontEnd => "front end",
            Self::Worker => "worker",
            Self::Server(server) => server.name(),
        }
    }
}

impl Faults {
    /// That many kills, spread over everything there is, and a third as many pauses and as many cuts.
    pub(super) fn new(seed: u64, kills: usize) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut ahead = Vec::new();
        for (how, count) in
            [(How::Kill, kills), (How::Pause, kills.div_ceil(3)), (How::Cut, kills.div_ceil(3))]
        {
            let mut order = Whom::ALL;
            order.shuffle(&mut random);
            ahead.extend(order.into_iter().cycle().take(count).map(|whom| (how, whom)));
        }
        ahead.shuffle(&mut random);
        Self {
            random,
            ahead,
            struck: BTreeMap::new(),
            restarts: 0,
            started: HashMap::new(),
            mending: Vec::new(),
            starting: JoinSet::new(),
            busy: HashSet::new(),
        }
    }

    /// Strikes until nothing is ahead, and returns when all is well again.
    pub(super) async fn strike(&mut self, installation: &mut Installation) {
        let mut next = Instant::now() + AFTER_START;
        while !(self.ahead.is_empty() && self.mending.is_empty() && self.starting.is_empty()) {
            self.mend(installation);
            self.supervise(installation);
            if Instant::now() >= next {
                self.strike_once(installation);
                next = Instant::now() + self.random.random_range(GAP.0..GAP.1);
            }
            sleep(TICK).await;
        }
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let waited_for = not_ready(installation).await;
            if waited_for.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "{waited_for:?} are not ready again");
            self.supervise(installation);
            sleep(TICK).await;
        }
    }

    /// What was done how often, one line for each kind.
    pub(super) fn table(&self) -> String {
        let mut table = format!("\n{:<12} {:>6} {:>7} {:>5}\n", "", "killed", "paused", "cut");
        let count = |whom, how| self.struck.get(&(whom, how)).copied().unwrap_or_default();
        for whom in Whom::ALL {
            let [kill, pause, cut] = [How::Kill, How::Pause, How::Cut].map(|how| count(whom, how));
            let _ = writeln!(table, "{:<12} {kill:>6} {pause:>7} {cut:>5}", whom.name());
        }
        let all = |how| Whom::ALL.iter().map(|whom| count(*whom, how)).sum::<u32>();
        let [kill, pause, cut] = [How::Kill, How::Pause, How::Cut].map(all);
        let _ = writeln!(table, "{:<12} {kill:>6} {pause:>7} {cut:>5}", "all");
        let _ =
            writeln!(table, "{} more times a process ended by itself and was started again", self.restarts);
        table
    }

    fn strike_once(&mut self, installation: &mut Installation) {
        let Some((how, whom)) = self.ahead.pop() else { return };
        let Some(target) = self.target(installation, how, whom) else {
            // Everything of that kind is struck already: later.
            self.ahead.insert(0, (how, whom));
            return;
        };
        let lasts = match how {
            How::Kill => self.random.random_range(200..2000),
            How::Pause => self.random.random_range(500..5000),
            How::Cut => self.random.random_range(300..4000),
        };
        match (how, target) {
            (How::Kill, Target::Node(index)) => node(installation, index).kill(),
            (How::Pause, Target::Node(index)) => node(installation, index).pause(),
            (How::Kill, Target::Server(server)) => installation.servers.kill(server),
            (How::Pause, Target::Server(server)) => installation.servers.pause(server),
            (_, Target::Wires(index, server)) => {
                wires(server).for_each(|server| node(installation, index).wire(server).cut());
            }
            (How::Cut, _) => unreachable!("only wires are cut"),
        }
        self.busy.insert(target);
        *self.struck.entry((whom, how)).or_default() += 1;
        self.mending.push((Instant::now() + Duration::from_millis(lasts), how, target));
    }

    /// Something of that kind that is well.
    fn target(&mut self, installation: &Installation, how: How, whom: Whom) -> Option<Target> {
        let (front_ends, workers) = (installation.front_ends.len(), installation.workers.len());
        let nodes = match whom {
            Whom::FrontEnd => 0..front_ends,
            Whom::Worker => front_ends..front_ends + workers,
            Whom::Server(_) => 0..front_ends + workers,
        };
        let candidates: Vec<Target> = match (how, whom) {
            (How::Cut, Whom::Server(server)) => {
                nodes.map(|index| Target::Wires(index, Some(server))).collect()
            }
            (How::Cut, _) => nodes.map(|index| Target::Wires(index, None)).collect(),
            (_, Whom::Server(server)) => vec![Target::Server(server)],
            (_, _) => nodes.map(Target::Node).collect(),
        };
        let well: Vec<Target> = candidates.into_iter().filter(|target| !self.busy.contains(target)).collect();
        well.choose(&mut self.random).copied()
    }

    fn mend(&mut self, installation: &mut Installation) {
        while let Some(started) = self.starting.try_join_next() {
            self.busy.remove(&Target::Server(started.expect("a server starts again")));
        }
        let now = Instant::now();
        let (due, later) = self.mending.drain(..).partition(|(until, ..)| *until <= now);
        self.mending = later;
        let due: Vec<(Instant, How, Target)> = due;
        for (_, how, target) in due {
            match (how, target) {
                (How::Kill, Target::Node(index)) => node(installation, index).start(),
                (_, Target::Node(index)) => node(installation, index).resume(),
                (How::Kill, Target::Server(server)) => {
                    let servers = Arc::clone(&installation.servers);
                    self.starting.spawn_blocking(move || {
                        servers.start(server);
                        server
                    });
                    continue;
                }
                (_, Target::Server(server)) => installation.servers.resume(server),
                (_, Target::Wires(index, server)) => {
                    wires(server).for_each(|server| node(installation, index).wire(server).heal());
                }
            }
            self.busy.remove(&target);
        }
    }

    /// Starts again what could not start because a server was away.
    fn supervise(&mut self, installation: &mut Installation) {
        for (index, node) in installation.nodes().enumerate() {
            let rests = self.started.get(&index).is_some_and(|last| last.elapsed() < RESTARTS_EVERY);
            if !self.busy.contains(&Target::Node(index)) && !rests && !node.runs() {
                node.start();
                self.started.insert(index, Instant::now());
                self.restarts += 1;
            }
        }
    }
}

async fn not_ready(installation: &mut Installation) -> Vec<String> {
    let mut waited_for = Vec::new();
    for node in installation.nodes() {
        if !node.is_ready().await {
            waited_for.push(node.name.clone());
        }
    }
    waited_for
}

fn node(installation: &mut Installation, index: usize) -> &mut Node {
    installation.nodes().nth(index).expect("there are that many")
}

fn wires(server: Option<Server>) -> impl Iterator<Item = Server> {
    Server::ALL.into_iter().filter(move |each| server.is_none_or(|server| server == *each))
}
