//! User and group names out of `/etc/passwd` and `/etc/group`.

use crate::shell::Sys;

/// Rows of a file of colon-separated fields.
pub(crate) async fn table(sys: &Sys, path: &str) -> Vec<Vec<String>> {
    let data = sys.read_file(path).await.unwrap_or_default();
    let text = crate::shell::bytes::to_text(&data);
    text.lines().map(|line| line.split(':').map(str::to_owned).collect()).collect()
}

fn name_of(rows: &[Vec<String>], id: u32) -> Option<String> {
    let id = id.to_string();
    rows.iter().find(|row| row.get(2) == Some(&id)).and_then(|row| row.first().cloned())
}

fn id_of(rows: &[Vec<String>], name: &str) -> Option<u32> {
    let row = rows.iter().find(|row| row.first().is_some_and(|n| n == name));
    row.and_then(|row| row.get(2)?.parse().ok())
}

/// Both tables, read once.
pub(crate) struct Users {
    passwd: Vec<Vec<String>>,
    group: Vec<Vec<String>>,
}

impl Users {
    pub(crate) async fn read(sys: &Sys) -> Users {
        Users { passwd: table(sys, "/etc/passwd").await, group: table(sys, "/etc/group").await }
    }

    pub(crate) fn user(&self, uid: u32) -> Option<String> {
        name_of(&self.passwd, uid)
    }

    pub(crate) fn group(&self, gid: u32) -> Option<String> {
        name_of(&self.group, gid)
    }

    pub(crate) fn uid(&self, name: &str) -> Option<u32> {
        id_of(&self.passwd, name)
    }

    pub(crate) fn gid(&self, name: &str) -> Option<u32> {
        id_of(&self.group, name)
    }

    /// A user's first group.
    pub(crate) fn group_of(&self, name: &str) -> Option<u32> {
        let row = self.passwd.iter().find(|row| row.first().is_some_and(|n| n == name));
        row.and_then(|row| row.get(3)?.parse().ok())
    }

    /// Groups that list a user as a member.
    pub(crate) fn groups_with(&self, name: &str) -> Vec<u32> {
        let member = |row: &&Vec<String>| {
            row.get(3).is_some_and(|members| members.split(',').any(|m| m == name))
        };
        self.group.iter().filter(member).filter_map(|row| row.get(2)?.parse().ok()).collect()
    }
}
