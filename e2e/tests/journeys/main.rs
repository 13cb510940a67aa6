//! Journeys through Daybook as people and operators make them, against the executable as a process of its own.

mod desk;
mod household;

mod walkthrough;

mod contract;
mod deletion;
mod demo;
mod imports;
mod live;
mod operator;
mod refusals;
mod roles;
mod statements;
mod tampering;
