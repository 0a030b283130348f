-- The local Hub's records. File contents over a megabyte and LFS objects are files under objects/, named by sha256.

CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

-- Accounts -----------------------------------------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS accounts (
    name TEXT PRIMARY KEY COLLATE NOCASE, fullname TEXT NOT NULL, is_org INTEGER NOT NULL, private_by_default INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS members (
    user TEXT NOT NULL COLLATE NOCASE REFERENCES accounts, org TEXT NOT NULL COLLATE NOCASE REFERENCES accounts,
    PRIMARY KEY (user, org)
);
CREATE TABLE IF NOT EXISTS tokens (  -- only the sha256 of a token is kept: a copy of this file opens nothing
    sha256 TEXT PRIMARY KEY, user TEXT NOT NULL COLLATE NOCASE REFERENCES accounts, role TEXT NOT NULL, created TEXT NOT NULL
);

-- Git objects. Shared by all repositories; who may read one is decided by the commit it is reached through ------------
CREATE TABLE IF NOT EXISTS blobs (
    oid TEXT PRIMARY KEY, size INTEGER NOT NULL,  -- size of the content, also when git itself only sees a pointer
    data BLOB, sha256 TEXT, is_lfs INTEGER NOT NULL DEFAULT 0,
    CHECK ((data IS NULL) <> (sha256 IS NULL))
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trees (oid TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;

-- Who sent an object, so that they may name it in a commit before any repository has it
CREATE TABLE IF NOT EXISTS uploads (
    user TEXT NOT NULL COLLATE NOCASE, sha256 TEXT NOT NULL, PRIMARY KEY (user, sha256)
) WITHOUT ROWID;

-- Repositories -------------------------------------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS repos (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, private INTEGER NOT NULL DEFAULT 0,
    gated TEXT NOT NULL DEFAULT '', sdk TEXT, created TEXT NOT NULL, modified TEXT NOT NULL,
    runtime TEXT NOT NULL DEFAULT '{}',  -- Spaces: hardware, sleep time, paused (JSON)
    UNIQUE (kind, name)
);
CREATE TABLE IF NOT EXISTS former_names (
    kind TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE,
    PRIMARY KEY (kind, name)
);
CREATE TABLE IF NOT EXISTS commits (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, oid TEXT NOT NULL, tree TEXT NOT NULL REFERENCES trees,
    parents TEXT NOT NULL, title TEXT NOT NULL, message TEXT NOT NULL, author TEXT NOT NULL, date TEXT NOT NULL,
    PRIMARY KEY (repo, oid)
);
CREATE TABLE IF NOT EXISTS refs (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, name TEXT NOT NULL, target TEXT NOT NULL,
    PRIMARY KEY (repo, name), FOREIGN KEY (repo, target) REFERENCES commits (repo, oid)
);
CREATE TABLE IF NOT EXISTS likes (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, user TEXT NOT NULL COLLATE NOCASE, created TEXT NOT NULL,
    PRIMARY KEY (repo, user)
);
CREATE TABLE IF NOT EXISTS access_requests (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, user TEXT NOT NULL COLLATE NOCASE, status TEXT NOT NULL,
    created TEXT NOT NULL, PRIMARY KEY (repo, user)
);
CREATE TABLE IF NOT EXISTS space_settings (  -- the value of a secret is never stored: nothing here runs a Space
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, is_secret INTEGER NOT NULL, key TEXT NOT NULL, value TEXT,
    description TEXT, updated TEXT NOT NULL, PRIMARY KEY (repo, is_secret, key), CHECK (NOT (is_secret AND value IS NOT NULL))
);

-- Discussions and pull requests --------------------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS discussions (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, num INTEGER NOT NULL, title TEXT NOT NULL, status TEXT NOT NULL,
    author TEXT NOT NULL, created TEXT NOT NULL, is_pull_request INTEGER NOT NULL,
    base TEXT,  -- the commit a pull request started from
    merge_commit TEXT, PRIMARY KEY (repo, num)
);
CREATE TABLE IF NOT EXISTS events (
    id TEXT PRIMARY KEY, repo INTEGER NOT NULL, num INTEGER NOT NULL, position INTEGER NOT NULL, type TEXT NOT NULL,
    author TEXT NOT NULL, created TEXT NOT NULL, data TEXT NOT NULL,
    FOREIGN KEY (repo, num) REFERENCES discussions ON DELETE CASCADE
);

-- Collections and webhooks -------------------------------------------------------------------------------------------
CREATE TABLE IF NOT EXISTS collections (
    id TEXT PRIMARY KEY, namespace TEXT NOT NULL COLLATE NOCASE, title TEXT NOT NULL, description TEXT,
    private INTEGER NOT NULL, theme TEXT NOT NULL, position INTEGER NOT NULL, updated TEXT NOT NULL,
    UNIQUE (namespace, title)
);
CREATE TABLE IF NOT EXISTS collection_items (
    id TEXT PRIMARY KEY, collection TEXT NOT NULL REFERENCES collections ON DELETE CASCADE, type TEXT NOT NULL,
    item TEXT NOT NULL COLLATE NOCASE, note TEXT, position INTEGER NOT NULL, UNIQUE (collection, type, item)
);
CREATE TABLE IF NOT EXISTS webhooks (id TEXT PRIMARY KEY, user TEXT NOT NULL COLLATE NOCASE, settings TEXT NOT NULL);

-- Xet: how a file was put together from xorbs, so that it can be served the same way. Written once, never replaced ------
CREATE TABLE IF NOT EXISTS xet_files (hash TEXT PRIMARY KEY, sha256 TEXT NOT NULL, size INTEGER NOT NULL, terms TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS xet_files_by_sha256 ON xet_files (sha256);

-- Indexes for what is listed page by page ------------------------------------------------------------------------------
CREATE INDEX IF NOT EXISTS commits_by_tree ON commits (tree);
CREATE INDEX IF NOT EXISTS events_by_discussion ON events (repo, num, position);
CREATE INDEX IF NOT EXISTS likes_by_repo ON likes (repo);
CREATE INDEX IF NOT EXISTS likes_by_user ON likes (user);
CREATE INDEX IF NOT EXISTS collections_by_date ON collections (updated);
CREATE INDEX IF NOT EXISTS collection_items_by_item ON collection_items (item);

-- What follows from the records above, kept so that a list costs what it returns. A store that lacks it gets it when it
-- is opened (`Store`); commits bring their own (`lineage.note`), repositories wait in `stale` for `catalog.refresh` -------
CREATE TABLE IF NOT EXISTS tree_pieces (  -- the body of a large folder, which `trees` leaves empty, by its first entries
    tree TEXT NOT NULL REFERENCES trees ON DELETE CASCADE, key BLOB NOT NULL, body BLOB NOT NULL, PRIMARY KEY (tree, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lineage (  -- `jump` is a far ancestor, so that any other one is few steps away
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, oid TEXT NOT NULL, depth INTEGER NOT NULL, parent TEXT,
    jump TEXT NOT NULL, jump_depth INTEGER NOT NULL, PRIMARY KEY (repo, oid)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes (  -- files and folders that a commit changed; not those of a first commit
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, path TEXT NOT NULL, depth INTEGER NOT NULL, oid TEXT NOT NULL,
    PRIMARY KEY (repo, path, depth, oid)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lfs_files (  -- the first commit that had this LFS object, and the ref that it was pushed to
    id INTEGER PRIMARY KEY, repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, blob TEXT NOT NULL, sha256 TEXT NOT NULL,
    path TEXT NOT NULL, oid TEXT NOT NULL, ref TEXT, UNIQUE (repo, blob)
);
CREATE INDEX IF NOT EXISTS lfs_files_by_repo ON lfs_files (repo);
CREATE INDEX IF NOT EXISTS lfs_files_by_sha256 ON lfs_files (sha256, repo);
CREATE INDEX IF NOT EXISTS lfs_files_by_commit ON lfs_files (repo, oid);
CREATE TABLE IF NOT EXISTS catalog (
    repo INTEGER PRIMARY KEY REFERENCES repos ON DELETE CASCADE, kind TEXT NOT NULL, created TEXT NOT NULL,
    changed TEXT NOT NULL, likes INTEGER NOT NULL, pipeline_tag TEXT, head TEXT,  -- the commit that main is at
    card TEXT NOT NULL  -- the values of its YAML (JSON)
);
CREATE INDEX IF NOT EXISTS catalog_by_creation ON catalog (kind, created, repo);
CREATE INDEX IF NOT EXISTS catalog_by_change ON catalog (kind, changed, repo);
CREATE INDEX IF NOT EXISTS catalog_by_likes ON catalog (kind, likes, repo);
CREATE TABLE IF NOT EXISTS catalog_tags (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, tag TEXT NOT NULL,
    whole INTEGER NOT NULL,  -- 0: what follows the colon of a tag
    PRIMARY KEY (repo, tag)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS catalog_tags_by_tag ON catalog_tags (tag, repo);
CREATE TABLE IF NOT EXISTS stale (repo INTEGER PRIMARY KEY);
CREATE TRIGGER IF NOT EXISTS repo_added AFTER INSERT ON repos BEGIN INSERT OR IGNORE INTO stale VALUES (new.id); END;
CREATE TRIGGER IF NOT EXISTS main_moved AFTER INSERT ON refs WHEN new.name = 'refs/heads/main'
    BEGIN INSERT OR IGNORE INTO stale VALUES (new.repo); END;
CREATE TRIGGER IF NOT EXISTS main_set AFTER UPDATE ON refs WHEN new.name = 'refs/heads/main'
    BEGIN INSERT OR IGNORE INTO stale VALUES (new.repo); END;
CREATE TRIGGER IF NOT EXISTS files_taken_out AFTER UPDATE OF tree ON commits
    BEGIN INSERT OR IGNORE INTO stale VALUES (new.repo); END;
CREATE TRIGGER IF NOT EXISTS like_given AFTER INSERT ON likes BEGIN INSERT OR IGNORE INTO stale VALUES (new.repo); END;
CREATE TRIGGER IF NOT EXISTS like_taken AFTER DELETE ON likes BEGIN INSERT OR IGNORE INTO stale VALUES (old.repo); END;
