//! Statements laid out as real banks and cards export them, with invented lines, and files that are broken on purpose.

mod broken;
mod samples;
