//! The query API in process: the real router over a real read model, filled through `decide` and the projection.

mod answers;
mod behaviour;
mod figures;
mod household;
