//! The file back-end: permissions, ownership, other files.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn keep(folder: &std::path::Path) -> vault::Result<()> {
    split::put(&Files::new(Some(folder.to_owned())), &Key::new(&session("s"), Kind::Token), &Secret::new("x"), None)
}

#[test]
fn secrets_are_private_and_leave_no_temporary_files() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("a/b");
    keep(&folder).unwrap();
    assert_eq!((mode(&folder), mode(folder.parent().unwrap())), (0o700, 0o700));
    let files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    assert_eq!(mode(&files[0]), 0o600);
}

#[test]
fn a_folder_that_others_can_write_or_replace_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let set = |path: &std::path::Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let parent = home.path().join("parent");
    let folder = parent.join("daypass");
    fs::create_dir_all(&folder).unwrap();
    for bad in [0o770, 0o702, 0o777] {
        set(&folder, bad);
        assert!(matches!(keep(&folder), Err(vault::Error::File { .. })), "{bad:o}");
        assert!(Files::new(Some(folder.clone())).probe().is_err(), "{bad:o}");
    }
    let link = home.path().join("link");
    symlink(&folder, &link).unwrap();
    assert!(matches!(keep(&link), Err(vault::Error::File { .. })), "a link to such a folder");
    set(&folder, 0o700);
    keep(&link).unwrap();
    set(&parent, 0o777);
    assert!(matches!(keep(&folder), Err(vault::Error::File { .. })), "a parent that anybody can write to");
    assert!(matches!(keep(&link), Err(vault::Error::File { .. })), "the parent of a link's target");
    set(&parent, 0o1777);
    keep(&folder).unwrap();
}

#[test]
fn a_folder_of_another_user_is_refused() {
    // Root's folder, or for root a folder that was given to another user.
    let home = tempfile::tempdir().unwrap();
    let mine = fs::metadata(home.path()).unwrap().uid();
    let folder = if mine == 0 { home.path().join("given") } else { "/usr/share".into() };
    if mine == 0 {
        fs::create_dir(&folder).unwrap();
        std::os::unix::fs::chown(&folder, Some(12_345), None).unwrap();
    }
    assert!(matches!(keep(&folder), Err(vault::Error::File { .. })));
}

#[test]
fn a_secret_that_cannot_be_deleted_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let (store, key) = (Files::new(Some(home.path().join("d"))), Key::new(&session("s"), Kind::Token));
    split::put(&store, &key, &Secret::new("x"), None).unwrap();
    let file = fs::read_dir(home.path().join("d")).unwrap().next().unwrap().unwrap().path();
    // Permissions do not stop root, but nobody can delete a folder as a file.
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(matches!(split::delete(&store, &key), Err(vault::Error::File { .. })));
    fs::remove_dir(&file).unwrap();
    split::delete(&store, &key).unwrap();
}

#[test]
fn other_files_in_the_folder_are_ignored() {
    let home = tempfile::tempdir().unwrap();
    let store = Files::new(Some(home.path().join("d")));
    split::put(&store, &Key::new(&session("s"), Kind::Token), &Secret::new("x"), None).unwrap();
    fs::write(home.path().join("d/notes.txt"), "{}").unwrap();
    fs::write(home.path().join("d/half.secret"), b"{\"v\":1,\xff").unwrap();
    fs::create_dir(home.path().join("d/folder.secret")).unwrap();
    assert_eq!(split::list(&store).unwrap().len(), 1);
}
