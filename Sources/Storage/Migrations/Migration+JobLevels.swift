extension Migration {
    /// The trust level at which an attempt was given to its Island: by it go its limits, and whether it relies on a signature.
    static let jobLevels = Migration(number: 13, statements: ["ALTER TABLE jobs ADD COLUMN level BIGINT"])
}
