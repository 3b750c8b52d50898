import Foundation

/// Holds a folder for this process; a second process is told so instead of damaging it. The system lets go when we end.
final class FolderLock: Sendable {
    private let descriptor: Int32

    /// Takes the folder.
    ///
    /// - Throws: ``CommandFailure`` when another process has it.
    init(_ folder: String) throws {
        descriptor = open(folder + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CommandFailure(.failed, "\(folder) is not writable.") }
        // What is thrown from here on closes the descriptor in `deinit`.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw CommandFailure(.refused, "Another archipelago runs on \(folder); stop it, or use another --data-dir.")
        }
    }

    deinit { close(descriptor) }
}
