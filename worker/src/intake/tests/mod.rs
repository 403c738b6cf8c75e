//! The intake, stepped by hand.

mod drain;
mod forget;
mod house;
mod life;
mod losses;
mod unreadable;
