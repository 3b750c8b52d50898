internal import Storage

extension ServiceError {
    /// A refusal for the time in which the network's own data cannot be read or written: a full or failing disk, a locked database.
    ///
    /// - Returns: `nil` for every other error.
    public init?(outage error: any Error) {
        guard let error = error as? StorageError, [.unavailable, .busy].contains(error.code) else { return nil }
        self.init(
            .unavailable, code: "storage_unavailable", "The network's data cannot be read or written now; nothing was changed. Try again later.",
            cause: error.description)
    }
}
