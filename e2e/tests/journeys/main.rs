//! Journeys through Daybook as people and operators make them, against the executable as a process of its own.

mod desk;
mod household;

mod walkthrough;

mod contract;
mod deletion;
mod demo;
mod operator;
mod refusals;
mod statements;
mod tampering;
