//! The values below sessions that several threads read and write concurrently.

#[path = "../../../src/service/base/end_tree.rs"]
mod end_tree;

#[path = "../../../src/service/base/link_cell.rs"]
mod link_cell;

pub(crate) use end_tree::EndTree;
pub(crate) use link_cell::LinkCell;
