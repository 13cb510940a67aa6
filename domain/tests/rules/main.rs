//! The rules of a book, from the outside: commands in, events or a refusal out.

mod names;
mod world;

mod commands;
mod entries;
mod records;
mod rejections;
mod scenarios;
mod script;

mod forgetting;
mod properties;
mod random;
mod scaling;
mod undoing;
