extension Migration {
    /// What search and lists of the registry go by: one row for each Cargo that is or was published.
    static let registry = Migration(
        number: 3,
        statements: [
            """
            CREATE TABLE registry_entries (
                workload_id BIGINT PRIMARY KEY REFERENCES workloads (id), submission_id BIGINT NOT NULL REFERENCES submissions (id),
                listed BIGINT NOT NULL, slug TEXT NOT NULL, category TEXT, runtime_type TEXT NOT NULL, tier TEXT NOT NULL,
                trust_level BIGINT NOT NULL, verified BIGINT NOT NULL, reputation BIGINT NOT NULL, jobs_completed BIGINT NOT NULL,
                jobs_failed BIGINT NOT NULL, price_per_job BIGINT NOT NULL, price_per_token BIGINT NOT NULL,
                price_per_second BIGINT NOT NULL, published_at BIGINT NOT NULL)
            """,
            "CREATE INDEX registry_newest ON registry_entries (published_at, workload_id) WHERE listed = 1",
            "CREATE INDEX registry_jobs ON registry_entries (jobs_completed, workload_id) WHERE listed = 1",
            "CREATE INDEX registry_reputation ON registry_entries (reputation, workload_id) WHERE listed = 1",
            """
            CREATE INDEX registry_price ON registry_entries (price_per_job, price_per_token, price_per_second, workload_id)
            WHERE listed = 1
            """,
            """
            CREATE INDEX registry_facets ON registry_entries (category, runtime_type, tier, trust_level, verified, workload_id)
            WHERE listed = 1
            """,
            "CREATE TABLE registry_tags (tag TEXT NOT NULL, workload_id BIGINT NOT NULL, PRIMARY KEY (tag, workload_id)){clustered}",
            "CREATE INDEX registry_tags_workload ON registry_tags (workload_id)",
            "{search_table}",
        ])
}
