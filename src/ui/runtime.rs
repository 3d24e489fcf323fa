//! The loop: messages in, effects done, frames out. The only part of the screen that waits.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use crossterm::event::{Event, EventStream};
use futures::StreamExt as _;
use tokio::time::sleep_until;

use super::app::App;
use super::clipboard::{self, Multiplexer};
use super::engine::{Engine, Outward, Source, configure};
use super::frame;
use super::input::{Key, Mouse};
use super::message::{Draw, Message};
use super::signals::{self, Signal, Signals};
use super::terminal::Terminal;
use crate::cluster::connect::connect;
use crate::cluster::error::Failure;
use crate::cluster::gate::{ContextId, Gate};
use crate::cluster::kubeconfig::Flags;
use crate::cluster::live::{self, Answers};
use crate::model::Now;
use crate::rules::Document;

/// How long one turn works off what has arrived before it looks at the keys again.
const TURN: Duration = Duration::from_millis(4);
/// Frames that nobody has pressed a key for come at most this often.
const FRAME: Duration = Duration::from_millis(33);

/// The lists did not come in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Not everything came within {0} s.")]
pub struct TooLate(u64);

/// Runs the state without a terminal until everything that it needs has come, at most for `patience`.
///
/// # Errors
///
/// The runtime cannot be started, or time is over.
pub fn settle(app: App, source: impl Into<Source>, patience: Duration) -> anyhow::Result<App> {
    run_until(app, source.into(), patience, App::settled)
}

/// The same until the server has said what it has.
///
/// # Errors
///
/// As [`settle`].
pub fn settle_discovered(app: App, source: impl Into<Source>, patience: Duration) -> anyhow::Result<App> {
    run_until(app, source.into(), patience, App::discovered)
}

/// Asks the cluster that the flags name about documents, without a screen.
///
/// # Errors
///
/// The runtime cannot be started. What the cluster failed with is the answer.
pub fn ask(
    flags: &Flags,
    streams: &[&[Document]],
    namespace: Option<&str>,
) -> anyhow::Result<Result<Answers, Failure>> {
    let asking = async {
        let configuration = configure(Arc::new(flags.clone())).await?;
        let (here, gate) = (ContextId(1), Gate::new(flags.readonly));
        gate.show(here);
        let connection = connect(&configuration, None, flags, here, &gate).await?;
        live::ask(&connection, streams, namespace).await
    };
    Ok(runtime()?.block_on(asking))
}

fn run_until(
    mut app: App,
    source: Source,
    patience: Duration,
    done: fn(&App) -> bool,
) -> anyhow::Result<App> {
    runtime()?.block_on(async move {
        let mut engine = Engine::new(source);
        let effects = app.start(Now::read());
        engine.run(effects);
        let deadline = Instant::now() + patience;
        while !done(&app) {
            let message = tokio::time::timeout_at(deadline.into(), engine.next())
                .await
                .map_err(|_| TooLate(patience.as_secs()))?;
            let mut effects = Vec::new();
            app.update(message, Now::read(), &mut effects);
            engine.run(effects);
        }
        while let Some(message) = engine.try_next() {
            app.update(message, Now::read(), &mut Vec::new());
        }
        Ok(app)
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("The runtime cannot be started.")
}

/// What has to stand before the terminal is taken: from then on a signal must give it back.
#[derive(Debug)]
pub struct Start {
    runtime: tokio::runtime::Runtime,
    signals: Signals,
}

impl Start {
    /// Starts the runtime and listens to signals.
    ///
    /// # Errors
    ///
    /// The system gives no threads, or no signals.
    pub fn new() -> anyhow::Result<Self> {
        let runtime = runtime()?;
        let signals = {
            let _inside = runtime.enter();
            Signals::new().context("Signals cannot be listened to.")?
        };
        Ok(Self { runtime, signals })
    }

    /// Makes something that works by itself, tells of it, keeps it until a signal ends the program, and ends it.
    ///
    /// # Errors
    ///
    /// What making, telling or ending failed with.
    pub fn hold<T, E: Into<anyhow::Error>>(
        self,
        make: impl Future<Output = Result<T, E>>,
        tell: impl FnOnce(&T) -> anyhow::Result<()>,
        end: impl AsyncFnOnce(T) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let Self { runtime, mut signals } = self;
        let held: anyhow::Result<()> = runtime.block_on(async {
            let made = make.await.map_err(Into::into)?;
            let told = tell(&made);
            while told.is_ok() {
                match signals.next().await {
                    Signal::Terminate | Signal::HangUp | Signal::Interrupt => break,
                    Signal::Stop => signals::stop_self(),
                    Signal::Continue => {}
                }
            }
            let ended = end(made).await;
            told.and(ended)
        });
        runtime.shutdown_timeout(Duration::from_millis(200));
        held
    }

    /// Runs the screen until the user leaves.
    ///
    /// # Errors
    ///
    /// The terminal went away in a way that is not simply its end.
    pub fn run(
        self,
        mut app: App,
        source: impl Into<Source>,
        mut terminal: Terminal,
        install_reporter: impl FnOnce(Box<dyn Fn(PathBuf) + Send + Sync>),
    ) -> anyhow::Result<()> {
        let Self { runtime, signals } = self;
        // Before anything is read or asked: the first frame.
        show(&mut app, &mut terminal)?;
        let ended = runtime.block_on(async {
            let engine = Engine::new(source);
            install_reporter(Box::new(engine.reporter()));
            Loop::new(app, engine, terminal, signals).run().await
        });
        // Tasks are dropped and with them the processes that they wait for, such as credential plugins; what blocks a thread
        // does not keep the shell waiting.
        runtime.shutdown_timeout(Duration::from_millis(200));
        ended
    }
}

fn show(app: &mut App, terminal: &mut Terminal) -> std::io::Result<()> {
    let now = Now::read();
    frame::prepare(app, now);
    terminal
        .draw(|screen| {
            let area = screen.area();
            if let Some(cursor) = frame::draw(app, now, area, screen.buffer_mut()) {
                screen.set_cursor_position(cursor);
            }
        })
        .map(drop)
}

struct Loop {
    app: App,
    engine: Engine,
    terminal: Terminal,
    signals: Signals,
    /// Must not exist while another program has the terminal, or it eats that program's keys.
    events: Option<EventStream>,
    last_frame: Instant,
    /// When the next frame is due.
    due: Option<Instant>,
}

/// What woke the loop.
enum Woken {
    By(Message),
    Keyboard(Option<std::io::Result<Event>>),
    Time,
}

impl Loop {
    fn new(app: App, engine: Engine, terminal: Terminal, signals: Signals) -> Self {
        let events = Some(EventStream::new());
        Self { app, engine, terminal, signals, events, last_frame: Instant::now(), due: None }
    }

    async fn run(mut self) -> anyhow::Result<()> {
        let effects = self.app.start(Now::read());
        self.engine.run(effects);
        let mut change = self.next_change();
        while !self.app.is_over() {
            let woken = self.wait(change).await;
            let began = Instant::now();
            if !self.take(woken)? {
                return Ok(());
            }
            // What has arrived meanwhile, keys first.
            while began.elapsed() < TURN && !self.app.is_over() {
                if let Some(event) = self.waiting_event().await {
                    if !self.take(Woken::Keyboard(event))? {
                        return Ok(());
                    }
                } else if self.due.is_some_and(|due| due <= Instant::now()) {
                    // Whoever pressed the keys does not wait for what else has come.
                    break;
                } else if let Some(message) = self.engine.try_next() {
                    self.take(Woken::By(message))?;
                } else {
                    break;
                }
            }
            if self.due.is_some_and(|due| due <= Instant::now()) {
                self.due = None;
                self.last_frame = Instant::now();
                if let Err(error) = show(&mut self.app, &mut self.terminal) {
                    return gone(error);
                }
                change = self.next_change();
            }
        }
        Ok(())
    }

    /// The next event of the terminal if there is one already.
    ///
    /// The stream remembers the first waker that it was polled with, so it must only ever see that of this task: a
    /// throw-away waker (`now_or_never`) would swallow the wake-up for the next key.
    async fn waiting_event(&mut self) -> Option<Option<std::io::Result<Event>>> {
        let events = self.events.as_mut()?;
        std::future::poll_fn(|context| {
            Poll::Ready(match events.poll_next_unpin(context) {
                Poll::Ready(event) => Some(event),
                Poll::Pending => None,
            })
        })
        .await
    }

    fn next_change(&self) -> Option<Instant> {
        let pause = self.app.next_change(Now::read())?;
        // An age that is due in a second must have come over the edge by then.
        let margin = if pause.is_zero() { Duration::ZERO } else { Duration::from_millis(5) };
        Some(Instant::now() + pause + margin)
    }

    async fn wait(&mut self, change: Option<Instant>) -> Woken {
        let wake = [self.due, change].into_iter().flatten().min();
        let far = Instant::now() + Duration::from_secs(86_400);
        let events = &mut self.events;
        tokio::select! {
            biased;
            signal = self.signals.next() => Woken::By(Message::Signal(signal)),
            event = async {
                match events {
                    Some(events) => events.next().await,
                    None => std::future::pending().await,
                }
            } => Woken::Keyboard(event),
            () = sleep_until(wake.unwrap_or(far).into()), if wake.is_some() => Woken::Time,
            message = self.engine.next() => Woken::By(message),
        }
    }

    /// Takes what happened; `false` when the terminal is gone.
    fn take(&mut self, woken: Woken) -> anyhow::Result<bool> {
        let message = match woken {
            Woken::Time => {
                // Either a frame is due anyway, or an age on screen reads differently now.
                self.due.get_or_insert_with(Instant::now);
                return Ok(true);
            }
            Woken::By(message) => message,
            Woken::Keyboard(Some(Ok(event))) => match self.event(event) {
                Some(message) => message,
                None => return Ok(true),
            },
            Woken::Keyboard(Some(Err(error))) => return gone(error).map(|()| false),
            Woken::Keyboard(None) => return Ok(false),
        };
        let continued = matches!(message, Message::Signal(Signal::Continue));
        if continued {
            self.terminal.resume()?;
            self.events.get_or_insert_with(EventStream::new);
            let size = self.terminal.size();
            self.app.update(Message::Resize(size.width, size.height), Now::read(), &mut Vec::new());
        }
        let mut effects = Vec::new();
        let draw = self.app.update(message, Now::read(), &mut effects);
        self.plan(draw);
        for outward in self.engine.run(effects) {
            match outward {
                Outward::Suspend => {
                    self.events = None;
                    self.terminal.suspend()?;
                    // The signal that continues the program arrives as a message.
                    signals::stop_self();
                }
                Outward::Copy(text) => self.terminal.send(&clipboard::sequence(&text, in_multiplexer()))?,
                Outward::Mouse(on) => self.terminal.set_mouse(on)?,
            }
        }
        Ok(true)
    }

    fn event(&mut self, event: Event) -> Option<Message> {
        match event {
            Event::Key(key) => Key::from_event(&key).map(Message::Key),
            Event::Paste(text) => Some(Message::Paste(text)),
            Event::Resize(columns, rows) => {
                self.terminal.resize(ratatui::layout::Size::new(columns, rows));
                Some(Message::Resize(columns, rows))
            }
            Event::Mouse(event) => Mouse::from_event(&event).map(Message::Mouse),
            Event::FocusGained | Event::FocusLost => None,
        }
    }

    fn plan(&mut self, draw: Draw) {
        let due = match draw {
            Draw::No => return,
            Draw::Soon => (self.last_frame + FRAME).max(Instant::now()),
            Draw::Now => Instant::now(),
        };
        self.due = Some(self.due.map_or(due, |planned| planned.min(due)));
    }
}

fn in_multiplexer() -> Option<Multiplexer> {
    Multiplexer::detect(&|name| env::var_os(name))
}

/// A terminal that is gone is an end like any other.
fn gone(error: std::io::Error) -> anyhow::Result<()> {
    if signals::terminal_gone(&error) { Ok(()) } else { Err(error).context("The terminal cannot be used.") }
}
