extension Migration {
    /// Sign-in, expiring keys, publisher identity, the audit log, notifications and their deliveries.
    static let accounts = Migration(
        number: 2,
        statements: [
            "ALTER TABLE accounts ADD COLUMN email TEXT",
            "ALTER TABLE accounts ADD COLUMN password_hash TEXT",
            "ALTER TABLE accounts ADD COLUMN roles TEXT NOT NULL DEFAULT ''",
            "CREATE UNIQUE INDEX accounts_email ON accounts (email)",
            // Until now a key's scopes were all there was; who holds such a key keeps what it may do.
            "UPDATE accounts SET roles = 'reviewer' WHERE id IN (SELECT account_id FROM api_keys WHERE scopes LIKE '%review%')",
            "UPDATE accounts SET roles = 'admin' WHERE id IN (SELECT account_id FROM api_keys WHERE scopes LIKE '%admin%')",
            "ALTER TABLE api_keys ADD COLUMN expires_at BIGINT",
            "ALTER TABLE api_keys ADD COLUMN last_used_at BIGINT",
            """
            CREATE TABLE sessions (
                id TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts (id), hash TEXT NOT NULL UNIQUE,
                created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL)
            """,
            "CREATE INDEX sessions_account ON sessions (account_id)",
            "CREATE INDEX sessions_expiry ON sessions (expires_at)",
            """
            CREATE TABLE publisher_identities (
                account_id TEXT PRIMARY KEY REFERENCES accounts (id), method TEXT, domain TEXT, evidence TEXT, verified_at BIGINT,
                verified_by TEXT, challenge_domain TEXT, challenge_token TEXT, challenge_at BIGINT)
            """,
            """
            CREATE TABLE audit_log (
                number BIGINT PRIMARY KEY, at BIGINT NOT NULL, actor_id TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL,
                before TEXT NOT NULL, after TEXT NOT NULL, previous_hash TEXT NOT NULL, hash TEXT NOT NULL)
            """,
            "CREATE INDEX audit_log_actor ON audit_log (actor_id, number)",
            "CREATE INDEX audit_log_subject ON audit_log (subject, number)",
            "CREATE INDEX audit_log_action ON audit_log (action, number)",
            "ALTER TABLE submissions ADD COLUMN resubmitted_from BIGINT",
            "ALTER TABLE submissions ADD COLUMN tag_moved_to TEXT",
            """
            CREATE TABLE notifications (
                id {identity}, account_id TEXT NOT NULL REFERENCES accounts (id), event_id TEXT NOT NULL, kind TEXT NOT NULL,
                submission_id BIGINT, workload_slug TEXT, title TEXT NOT NULL, message TEXT NOT NULL, created_at BIGINT NOT NULL,
                read_at BIGINT)
            """,
            "CREATE INDEX notifications_account ON notifications (account_id, id)",
            "CREATE INDEX notifications_unread ON notifications (account_id, read_at, id)",
            """
            CREATE TABLE webhooks (
                id TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts (id), url TEXT NOT NULL, secret TEXT NOT NULL,
                kinds TEXT NOT NULL, created_at BIGINT NOT NULL, paused_until BIGINT NOT NULL, failures BIGINT NOT NULL,
                failing_since BIGINT, last_delivery_at BIGINT, last_status BIGINT)
            """,
            "CREATE INDEX webhooks_account ON webhooks (account_id)",
            """
            CREATE TABLE deliveries (
                id {identity}, account_id TEXT NOT NULL REFERENCES accounts (id), webhook_id TEXT, channel TEXT NOT NULL,
                event_id TEXT NOT NULL, kind TEXT NOT NULL, order_key TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL,
                tries BIGINT NOT NULL, due_at BIGINT NOT NULL, status BIGINT, error TEXT, created_at BIGINT NOT NULL,
                delivered_at BIGINT)
            """,
            "CREATE INDEX deliveries_due ON deliveries (state, due_at)",
            "CREATE INDEX deliveries_order ON deliveries (webhook_id, order_key, state, id)",
        ])
}
