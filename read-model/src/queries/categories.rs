use std::collections::{BTreeMap, BTreeSet};

use domain::{
    book::Category,
    entry::CategoryKind,
    id::{BookId, CategoryId},
    text::Text,
    touch::Touches,
};
use rusqlite::Connection;

use super::rows;

/// All categories of a book and how they stand below each other.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    categories: BTreeMap<CategoryId, Category>,
    children: BTreeMap<CategoryId, Vec<CategoryId>>,
}

pub fn tree(conn: &Connection, book: BookId) -> rusqlite::Result<Tree> {
    let mut statement = conn.prepare_cached(include_str!("categories_select_of_book.sql"))?;
    let found = statement.query_map([book.as_bytes()], |row| {
        let category = Category {
            name: rows::text(row, 1)?,
            kind: rows::parsed(row, 2, "kind of category", CategoryKind::parse)?,
            parent: rows::id_or_none(row, 3)?,
            archived: row.get(4)?,
            icon: row.get(5)?,
            colour: row.get(6)?,
            merged_into: rows::id_or_none(row, 7)?,
            touches: Touches::default(),
        };
        Ok((rows::id(row, 0)?, category))
    })?;
    let mut tree = Tree::default();
    for found in found {
        let (id, category) = found?;
        if let Some(parent) = category.parent {
            tree.children.entry(parent).or_default().push(id);
        }
        tree.categories.insert(id, category);
    }
    Ok(tree)
}

impl Tree {
    pub fn get(&self, id: CategoryId) -> Option<&Category> {
        self.categories.get(&id)
    }

    pub fn iter(&self) -> impl Iterator<Item = (CategoryId, &Category)> {
        self.categories.iter().map(|(id, category)| (*id, category))
    }

    pub fn children(&self, id: CategoryId) -> &[CategoryId] {
        self.children.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The names from the root of the tree to this category.
    pub fn names(&self, id: CategoryId) -> Vec<&Text> {
        let mut names = Vec::new();
        let mut next = self.get(id);
        while let Some(category) = next {
            names.push(&category.name);
            next = category.parent.and_then(|parent| self.get(parent));
        }
        names.reverse();
        names
    }

    /// These categories and everything below them, each once. What the book does not have is left out.
    pub fn with_children(&self, ids: &[CategoryId]) -> BTreeSet<CategoryId> {
        let mut found = BTreeSet::new();
        let mut open: Vec<CategoryId> = ids.to_vec();
        while let Some(id) = open.pop() {
            if self.categories.contains_key(&id) && found.insert(id) {
                open.extend(self.children(id));
            }
        }
        found
    }
}
