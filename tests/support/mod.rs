//! What the tests share: the built program in a terminal, API servers, a
//! network that breaks, and objects. Nothing here but `live` knows the program's
//! inside.
#![allow(dead_code, unreachable_pub)]

pub mod apiserver;
pub mod cluster;
pub mod crds;
pub mod embedded;
pub mod kubeconfig;
pub mod linux;
pub mod live;
pub mod objects;
pub mod opened;
pub mod proxy;
pub mod suite;

#[cfg(unix)]
pub mod builder;
#[cfg(unix)]
pub mod keys;
#[cfg(unix)]
pub mod screen;
#[cfg(unix)]
mod terminal;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Returns how long `base` is on this machine: `V9S_TEST_PATIENCE` multiplies it.
///
/// # Panics
///
/// When the variable is set, but not to a positive number.
pub fn stretched(base: Duration) -> Duration {
    match std::env::var("V9S_TEST_PATIENCE") {
        Ok(text) => match text.parse::<f64>() {
            Ok(factor) if factor > 0.0 => base.mul_f64(factor),
            _ => panic!("V9S_TEST_PATIENCE is {text:?}, which is not a positive number."),
        },
        Err(_) => base,
    }
}

/// Returns when a wait that starts now has to give up.
pub fn deadline() -> Instant {
    Instant::now() + stretched(Duration::from_secs(20))
}

/// Asks again and again until there is an answer; `None` after the deadline.
///
/// Only for what nobody announces, like a state of the kernel's.
pub fn poll<T>(deadline: Instant, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() > deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Locks, also after a thread that held the lock has failed: the failure is
/// reported where it happened, and what comes after only has to clean up.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
