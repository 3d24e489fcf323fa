//! What a console does next, and why it ended. No socket and no clock: what happens goes in, with the time; what to do comes out.

use std::mem::discriminant;
use std::time::{Duration, Instant};

use super::super::error::{Failure, FailureKind};
use super::super::stream::End;
use super::instance::{Instance, Looked};
use super::why::{Why, why};

/// Where a console stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is being opened.
    Opening,
    /// What is typed reaches the guest, and what the guest writes comes.
    Live {
        /// The node of the guest; empty if it cannot be told.
        node: String,
        /// Whether the guest was paused when it was opened.
        paused: bool,
        /// What it was opened again after.
        after: Option<Why>,
    },
    /// It has ended, and is opened again when somebody asks for it.
    Closed(Why),
    /// It has ended, and is opened again by itself.
    Reconnecting {
        /// How often that was tried.
        attempt: u32,
        /// Why it ended.
        why: Why,
    },
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The machine was looked at.
    Looked(Looked),
    /// The stream is open.
    Opened,
    /// The stream was refused.
    Refused(Failure),
    /// The guest wrote something.
    Heard,
    /// The stream has ended.
    Ended(End),
    /// A pause is over.
    Waited,
    /// Somebody wants it opened again.
    Asked,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Look at the machine.
    Look,
    /// Open the stream.
    Open,
    /// Listen, and type.
    Carry,
    /// Wait so long, or until somebody asks.
    Wait(Duration),
    /// Wait until somebody asks.
    Stay,
}

/// How long things take.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two looks at a machine that is to come back.
    pub look: Duration,
    /// Looks at a machine that seems unchanged before that is believed: its phase is written some time after its guest has ended.
    pub looks: u32,
    /// Between two looks at a machine whose console is open.
    pub glance: Duration,
    /// How long a machine may take to come back.
    pub patience: Duration,
    /// Between two signs of life that are asked for.
    pub ping: Duration,
    /// A stream that lived so long had a guest at its other end.
    pub alive: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look: Duration::from_secs(1),
            looks: 3,
            glance: Duration::from_secs(5),
            patience: Duration::from_secs(300),
            ping: Duration::from_secs(25),
            alive: Duration::from_secs(2),
        }
    }
}

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Streams that are refused while a machine comes back, until that is believed.
const MOST_REFUSALS: u32 = 10;

/// Decides what a console does.
#[derive(Debug)]
pub struct Machine {
    pace: Pace,
    state: State,
    before: Option<Instance>,
    now: Option<Instance>,
    /// How the stream ended, and when; none before it was open.
    ended: Option<(End, Instant)>,
    opened: Option<Instant>,
    heard: bool,
    looks: u32,
    attempt: u32,
    refusals: u32,
    /// Since when something is waited for.
    waiting: Option<Instant>,
}

impl Machine {
    /// A console that is to be opened.
    pub fn new(pace: Pace) -> Self {
        Self {
            pace,
            state: State::Opening,
            before: None,
            now: None,
            ended: None,
            opened: None,
            heard: false,
            looks: 0,
            attempt: 0,
            refusals: 0,
            waiting: None,
        }
    }

    /// Where it stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The machine as it was seen last.
    pub fn instance(&self) -> Option<&Instance> {
        self.now.as_ref()
    }

    /// Takes what happened and says what to do.
    pub fn step(&mut self, input: Input, now: Instant) -> Action {
        match input {
            Input::Asked => {
                *self = Self::new(self.pace);
                Action::Look
            }
            Input::Waited => Action::Look,
            Input::Looked(looked) => self.looked(looked, now),
            Input::Heard => {
                self.heard = true;
                Action::Carry
            }
            Input::Opened => {
                let after = match std::mem::replace(&mut self.state, State::Opening) {
                    State::Reconnecting { why, .. } if !matches!(why, Why::Starting(_)) => Some(why),
                    _ => None,
                };
                let (node, paused) =
                    self.now.as_ref().map_or_else(Default::default, |one| (one.node.clone(), one.paused));
                self.state = State::Live { node, paused, after };
                (self.opened, self.heard, self.waiting) = (Some(now), false, None);
                self.before = self.now.clone();
                Action::Carry
            }
            Input::Refused(failure) => self.refused(failure, now),
            Input::Ended(end) => {
                let lived =
                    self.opened.is_some_and(|since| now.saturating_duration_since(since) >= self.pace.alive);
                self.heard |= lived;
                if self.heard {
                    (self.attempt, self.refusals) = (0, 0);
                }
                self.ended = Some((end, now));
                self.looks = 0;
                Action::Look
            }
        }
    }

    fn looked(&mut self, looked: Looked, now: Instant) -> Action {
        if let Looked::Here(instance) = &looked {
            self.now = Some(instance.clone());
        }
        let Some((end, _)) = self.ended.clone() else { return self.looked_first(looked, now) };
        let why = why(self.before.as_ref(), &end, self.heard, &looked);
        let runs = matches!(&looked, Looked::Here(instance) if instance.runs());
        match why {
            Why::Migrated { .. } => self.open(why),
            Why::Rebooted if runs => self.open(why),
            // Its guest may have ended just now, and nobody has written that down yet.
            Why::Taken | Why::NeverConnected | Why::Exited { .. } | Why::Silent
                if self.looks + 1 < self.pace.looks =>
            {
                self.looks += 1;
                Action::Wait(self.pace.look)
            }
            // What the server was lost for is over, and the machine is the one that it was.
            Why::Taken | Why::NeverConnected | Why::Exited { .. } | Why::Silent if self.was_lost() => {
                let why = self.reason();
                self.open(why)
            }
            // A command that was killed may tell of the guest's end before anything else does. Looking on ends nobody's session.
            Why::Exited { .. } => {
                self.close(why);
                Action::Wait(self.pace.glance)
            }
            Why::Taken | Why::NeverConnected | Why::Silent | Why::Unknown(_) => self.close(why),
            why => self.wait(why, now),
        }
    }

    /// Before the stream was open.
    fn looked_first(&mut self, looked: Looked, now: Instant) -> Action {
        match looked {
            Looked::Here(instance) if !instance.serial => self.close(Why::NoSerial),
            Looked::Here(instance) if instance.runs() => {
                self.attempt += 1;
                Action::Open
            }
            Looked::Here(instance) if instance.has_ended() || instance.ending => {
                self.close(Why::Ended(instance.phase))
            }
            Looked::Here(instance) => self.wait(Why::Starting(instance.phase), now),
            Looked::Gone => self.close(Why::NotThere),
            Looked::Failed(failure) if failure.is_transient() => self.wait(Why::ServerLost(failure), now),
            // Who may not look may have the right to the console all the same.
            Looked::Failed(failure) if failure.kind == FailureKind::Forbidden => {
                self.attempt += 1;
                Action::Open
            }
            Looked::Failed(failure) => self.close(Why::Refused(failure)),
        }
    }

    fn refused(&mut self, failure: Failure, now: Instant) -> Action {
        self.refusals += 1;
        let again = self.ended.is_some() || matches!(self.state, State::Reconnecting { .. });
        let passing = !matches!(
            failure.kind,
            FailureKind::Forbidden
                | FailureKind::Unauthorized
                | FailureKind::ReadOnly
                | FailureKind::OtherContext
                | FailureKind::Config
        );
        if again && passing && self.refusals < MOST_REFUSALS {
            let why =
                match self.reason() {
                    why if failure.is_transient() && self.ended.is_none() => {
                        if matches!(why, Why::Starting(_)) { why } else { Why::ServerLost(failure) }
                    }
                    why => why,
                };
            return self.wait(why, now);
        }
        match failure.is_transient() && !again {
            true => self.wait(Why::ServerLost(failure), now),
            false => self.close(Why::Refused(failure)),
        }
    }

    fn was_lost(&self) -> bool {
        matches!(self.state, State::Reconnecting { why: Why::ServerLost(_), .. })
    }

    fn reason(&self) -> Why {
        match &self.state {
            State::Reconnecting { why, .. } | State::Closed(why) => why.clone(),
            _ => Why::Taken,
        }
    }

    fn open(&mut self, why: Why) -> Action {
        self.attempt += 1;
        self.state = State::Reconnecting { attempt: self.attempt, why };
        Action::Open
    }

    fn close(&mut self, why: Why) -> Action {
        self.state = State::Closed(why);
        Action::Stay
    }

    /// Waits for the machine or the server to come back. A server is waited for as long as it takes.
    fn wait(&mut self, why: Why, now: Instant) -> Action {
        let since = *self.waiting.get_or_insert(now);
        let lost = matches!(why, Why::ServerLost(_));
        if !lost && now.saturating_duration_since(since) >= self.pace.patience {
            return self.close(why);
        }
        let same = matches!(&self.state, State::Reconnecting { why: known, .. } if discriminant(known) == discriminant(&why));
        self.attempt = if same { self.attempt + 1 } else { 1 };
        let pause = if lost { self.pace.look * self.attempt.min(10) } else { self.pace.look };
        // A machine that was powered off may stay so: nothing is promised.
        self.state = State::Reconnecting { attempt: self.attempt, why };
        Action::Wait(pause.min(LONGEST_PAUSE))
    }
}

#[cfg(test)]
mod tests {
    use super::super::platform::Platform;
    use super::*;

    fn running() -> Instance {
        Instance {
            uid: "1".into(),
            phase: "Running".into(),
            node: "node-1".into(),
            serial: true,
            ..Instance::default()
        }
    }

    fn here(change: impl FnOnce(&mut Instance)) -> Looked {
        let mut instance = running();
        change(&mut instance);
        Looked::Here(instance)
    }

    fn lost() -> Failure {
        Failure::new(FailureKind::Refused, "The API server refuses connections.")
    }

    fn forbidden() -> Failure {
        Failure::new(FailureKind::Forbidden, "You may not do that.")
    }

    #[test]
    fn the_machine_tells_why_its_console_ended() {
        let cases = [
            (Looked::Gone, Why::PoweredOff),
            (here(|vmi| vmi.phase = "Succeeded".into()), Why::PoweredOff),
            (here(|vmi| vmi.phase = "Failed".into()), Why::PoweredOff),
            (here(|vmi| vmi.ending = true), Why::PoweredOff),
            (here(|vmi| vmi.uid = "2".into()), Why::Rebooted),
            (here(|vmi| (vmi.uid, vmi.phase) = ("2".into(), "Scheduling".into())), Why::Rebooted),
            (here(|vmi| vmi.phase = "Scheduled".into()), Why::Starting("Scheduled".into())),
            (
                here(|vmi| vmi.node = "node-2".into()),
                Why::Migrated { from: "node-1".into(), to: "node-2".into() },
            ),
            (here(|vmi| vmi.migrating = true), Why::Migrating),
            (here(|_| {}), Why::Taken),
            (here(|vmi| vmi.paused = true), Why::Taken),
            (Looked::Failed(lost()), Why::ServerLost(lost())),
            (Looked::Failed(forbidden()), Why::Unknown(forbidden())),
        ];
        for (now, want) in cases {
            assert_eq!(why(Some(&running()), &End::Dropped, true, &now), want, "{now:?}");
        }
        assert_eq!(why(Some(&running()), &End::Dropped, false, &here(|_| {})), Why::NeverConnected);
        assert_eq!(why(Some(&running()), &End::Silent, true, &here(|_| {})), Why::Silent);
        assert_eq!(why(None, &End::Dropped, true, &here(|_| {})), Why::Taken);
        // A machine that has ended has ended however it was noticed.
        assert_eq!(why(Some(&running()), &End::Silent, false, &Looked::Gone), Why::PoweredOff);
    }

    struct Run {
        machine: Machine,
        now: Instant,
    }

    impl Run {
        fn new() -> Self {
            Self { machine: Machine::new(Pace::default()), now: Instant::now() }
        }

        /// A console that is open and has said something.
        fn live() -> Self {
            let mut run = Self::new();
            assert_eq!(run.step(Input::Looked(here(|_| {}))), Action::Open);
            assert_eq!(run.step(Input::Opened), Action::Carry);
            run.step(Input::Heard);
            run
        }

        fn step(&mut self, input: Input) -> Action {
            self.now += Duration::from_millis(10);
            self.machine.step(input, self.now)
        }

        fn look(&mut self, looked: &Looked) -> Action {
            self.step(Input::Looked(looked.clone()))
        }

        fn ended(&mut self) {
            assert_eq!(self.step(Input::Ended(End::Dropped)), Action::Look);
        }

        fn state(&self) -> &State {
            self.machine.state()
        }

        fn closed(&self) -> Option<&Why> {
            match self.state() {
                State::Closed(why) => Some(why),
                _ => None,
            }
        }
    }

    #[test]
    fn what_cannot_be_opened_says_so_and_waits_for_a_key() {
        let cases = [
            (Looked::Gone, Why::NotThere),
            (here(|vmi| vmi.phase = "Succeeded".into()), Why::Ended("Succeeded".into())),
            (here(|vmi| vmi.serial = false), Why::NoSerial),
            (
                Looked::Failed(Failure::new(FailureKind::NotFound, "x")),
                Why::Refused(Failure::new(FailureKind::NotFound, "x")),
            ),
        ];
        for (looked, want) in cases {
            let mut run = Run::new();
            assert_eq!(run.look(&looked), Action::Stay);
            assert_eq!(run.closed(), Some(&want));
            let said = want.sentence("shop/web", Platform::KubeVirt);
            assert!(said.ends_with('.') && !want.word(Platform::KubeVirt).is_empty(), "{said}");
            assert_eq!(run.step(Input::Asked), Action::Look);
            assert_eq!(run.state(), &State::Opening);
            assert_eq!(run.look(&here(|_| {})), Action::Open);
        }
        let mut run = Run::new();
        assert_eq!(
            run.look(&Looked::Failed(forbidden())),
            Action::Open,
            "the right to the console is another one"
        );
        assert_eq!(run.step(Input::Refused(forbidden())), Action::Stay);
        assert!(
            run.closed()
                .unwrap()
                .sentence("a/b", Platform::KubeVirt)
                .contains("virtualmachineinstances/console")
        );
    }

    #[test]
    fn a_machine_that_starts_is_waited_for() {
        let mut run = Run::new();
        for phase in ["Pending", "Scheduling", "Scheduled"] {
            assert_eq!(run.look(&here(|vmi| vmi.phase = phase.into())), Action::Wait(Duration::from_secs(1)));
            assert_eq!(run.step(Input::Waited), Action::Look);
        }
        assert_eq!(run.look(&here(|_| {})), Action::Open);
        // Its node is not ready for it: said by a refusal.
        let early = Failure::new(FailureKind::Server(400), "No virt-handler");
        assert!(matches!(run.step(Input::Refused(early)), Action::Wait(_)));
        assert_eq!(run.look(&here(|_| {})), Action::Open);
        run.step(Input::Opened);
        assert_eq!(run.state(), &State::Live { node: "node-1".into(), paused: false, after: None });
    }

    #[test]
    fn it_follows_migrations_and_reboots() {
        let mut run = Run::live();
        run.ended();
        let moving = here(|vmi| vmi.migrating = true);
        assert!(matches!(run.look(&moving), Action::Wait(_)));
        assert!(matches!(run.look(&moving), Action::Wait(_)));
        assert_eq!(run.look(&here(|vmi| vmi.node = "node-2".into())), Action::Open);
        run.step(Input::Opened);
        let after = Some(Why::Migrated { from: "node-1".into(), to: "node-2".into() });
        assert_eq!(run.state(), &State::Live { node: "node-2".into(), paused: false, after });

        let mut run = Run::live();
        run.ended();
        // Its end is written down some time after it.
        assert!(matches!(run.look(&here(|_| {})), Action::Wait(_)));
        assert!(matches!(run.look(&here(|vmi| vmi.ending = true)), Action::Wait(_)));
        assert!(matches!(run.look(&Looked::Gone), Action::Wait(_)));
        assert_eq!(run.state(), &State::Reconnecting { attempt: 2, why: Why::PoweredOff });
        assert!(matches!(
            run.look(&here(|vmi| (vmi.uid, vmi.phase) = ("2".into(), "Pending".into()))),
            Action::Wait(_)
        ));
        assert_eq!(run.look(&here(|vmi| vmi.uid = "2".into())), Action::Open);
        run.step(Input::Opened);
        assert!(matches!(run.state(), State::Live { after: Some(Why::Rebooted), .. }));
    }

    #[test]
    fn it_never_fights_another_client() {
        let mut run = Run::live();
        run.ended();
        let same = here(|_| {});
        assert!(matches!(run.look(&same), Action::Wait(_)));
        assert!(matches!(run.look(&same), Action::Wait(_)));
        assert_eq!(run.look(&same), Action::Stay);
        assert_eq!(run.closed(), Some(&Why::Taken));
        assert!(
            run.closed().unwrap().sentence("a/b", Platform::KubeVirt).contains("KubeVirt does not say which")
        );
        // A closing frame is no other sign.
        let mut run = Run::live();
        run.step(Input::Ended(End::Closed(1000, "bye".into())));
        for _ in 0..3 {
            run.look(&same);
        }
        assert_eq!(run.closed(), Some(&Why::Taken));
    }

    #[test]
    fn a_lost_server_is_waited_for_and_then_it_opens_by_itself() {
        let mut run = Run::live();
        run.ended();
        let mut pauses = Vec::new();
        for _ in 0..15 {
            match run.look(&Looked::Failed(lost())) {
                Action::Wait(pause) => pauses.push(pause.as_secs()),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((pauses[0], pauses[14]), (1, 10));
        assert!(matches!(run.state(), State::Reconnecting { why: Why::ServerLost(_), .. }));
        let mut action = run.look(&here(|_| {}));
        while let Action::Wait(_) = action {
            action = run.look(&here(|_| {}));
        }
        assert_eq!(action, Action::Open);
        run.step(Input::Opened);
        assert!(matches!(run.state(), State::Live { after: Some(Why::ServerLost(_)), .. }));
    }

    #[test]
    fn a_machine_that_stays_off_is_not_waited_for_for_ever() {
        let mut run = Run::live();
        run.ended();
        let mut action = run.look(&Looked::Gone);
        for _ in 0..400 {
            if let Action::Wait(pause) = action {
                run.now += pause;
                action = run.look(&Looked::Gone);
            }
        }
        assert_eq!(action, Action::Stay);
        assert_eq!(run.closed(), Some(&Why::PoweredOff));
    }

    #[test]
    fn what_opens_and_ends_at_once_was_never_connected() {
        let mut run = Run::new();
        run.look(&here(|_| {}));
        run.step(Input::Opened);
        run.ended();
        for _ in 0..3 {
            run.look(&here(|_| {}));
        }
        assert_eq!(run.closed(), Some(&Why::NeverConnected));
        // A quiet guest is none of that kind.
        let mut run = Run::new();
        run.look(&here(|_| {}));
        run.step(Input::Opened);
        run.now += Duration::from_secs(60);
        run.ended();
        for _ in 0..3 {
            run.look(&here(|_| {}));
        }
        assert_eq!(run.closed(), Some(&Why::Taken));
    }

    #[test]
    fn a_migrated_console_that_is_not_there_yet_is_tried_some_times() {
        let mut run = Run::live();
        run.ended();
        let moved = here(|vmi| vmi.node = "node-2".into());
        let early = Failure::new(FailureKind::Server(500), "bad handshake");
        let mut opened = 0;
        while run.look(&moved) == Action::Open {
            opened += 1;
            if run.step(Input::Refused(early.clone())) == Action::Stay {
                break;
            }
        }
        assert_eq!(opened, MOST_REFUSALS);
        assert_eq!(run.closed(), Some(&Why::Refused(early)));
    }
}
