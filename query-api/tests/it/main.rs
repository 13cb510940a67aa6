//! The query API in process: the real router over a real read model, filled through `decide` and the projection.

mod answers;
mod behaviour;
mod export;
mod figures;
mod history;
mod household;
mod live;
mod members;
mod recategorising;
mod reports;
