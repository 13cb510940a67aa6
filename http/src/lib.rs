//! What every HTTP service of Daybook shares, so that they refuse, authenticate, page and stop alike.
//!
//! A service builds its table with [`routes::Routes`], wraps the finished router in [`layers::wrap`] and hands
//! it to [`serve::serve`]. Everything that goes wrong on the way is a [`problem::Problem`], whose codes stand in
//! the one table of [`problem_codes`].

pub mod problem;
pub mod problem_codes;
pub mod problem_pages;

pub mod access;
pub mod routes;

pub mod cursor;
pub mod email;
pub mod exchange;
pub mod headers;
pub mod json;
pub mod resources;

pub mod layers;
pub mod serve;
mod unread_body;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
