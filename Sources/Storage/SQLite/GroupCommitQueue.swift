import Foundation
import GRDB

/// Runs writes one after the other on a thread of its own and commits those that wait together.
///
/// One fsync takes about 4 ms on common disks, so commits one by one end near 250 a second. Here each turn takes every
/// write that has gathered (up to ``turnMax``), runs them inside one transaction, commits once, and only then answers all of them.
///
/// Most writes that throw do so before they change anything, and cost the others nothing. When one throws later, the turn is undone
/// and runs anew with a savepoint for each write. Savepoints for all turns would make SQLite keep a copy of every page that each
/// write touches, which took more time than the writes.
///
/// Safety of `@unchecked Sendable`: `waiting` and `isClosed` are only touched under `condition`; `pool` is Sendable.
final class GroupCommitQueue: @unchecked Sendable {
    /// One write: runs in the transaction, then is told how the commit went.
    private struct Write {
        let run: (any SQLWriter) throws -> Void
        let answer: (Result<Void, any Error>) -> Void
    }

    /// Chosen: bounds the memory and the time of one transaction; more just wait for the next turn.
    private static let turnMax = 512

    private let pool: DatabasePool
    private let condition = NSCondition()
    private var waiting: [Write] = []
    private var isClosed = false
    private var hasEnded = false

    private let recordFolder: RecordFolder
    private let crashPoints: CrashPoints?

    init(pool: DatabasePool, recordFolder: RecordFolder, crashPoints: CrashPoints?) {
        self.pool = pool
        self.recordFolder = recordFolder
        self.crashPoints = crashPoints
        let thread = Thread { [self] in work() }
        thread.name = "archipelago.storage.writer"
        thread.start()
    }

    func run<Value: Sendable>(_ body: @escaping @Sendable (any SQLWriter) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            nonisolated(unsafe) var value: Value?  // Safety: written by `run` and read by `answer`, both on the writer thread.
            add(
                Write(
                    run: { value = try body($0) },
                    answer: { result in
                        switch (result, value) {
                        case (.success, let value?): continuation.resume(returning: value)
                        case (.success, nil): continuation.resume(throwing: StorageError(.failed, "the write did not run"))
                        case (.failure(let error), _): continuation.resume(throwing: StorageError.translated(error))
                        }
                    }))
        }
    }

    private func add(_ write: Write) {
        condition.lock()
        if isClosed {
            condition.unlock()
            write.answer(.failure(StorageError(.unavailable, "the database is closed")))
            return
        }
        waiting.append(write)
        condition.signal()
        condition.unlock()
    }

    /// Lets the waiting writes finish, ends the thread and closes the file.
    func close() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let closer = Thread { [self] in
                condition.lock()
                isClosed = true
                condition.broadcast()
                while !hasEnded { condition.wait() }
                condition.unlock()
                // A reader that is still busy keeps the file open until it ends; the data is on disk either way.
                try? pool.close()
                continuation.resume()
            }
            closer.start()
        }
    }

    private func work() {
        while let turn = nextTurn() { commit(turn) }
        condition.lock()
        hasEnded = true
        condition.broadcast()
        condition.unlock()
    }

    private func nextTurn() -> [Write]? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty {
            if isClosed { return nil }
            condition.wait()
        }
        let turn = Array(waiting.prefix(Self.turnMax))
        waiting.removeFirst(turn.count)
        return turn
    }

    private func commit(_ turn: [Write]) {
        var failures: [Int: any Error] = [:]
        do {
            try pool.writeWithoutTransaction { connection in
                if let found = try runAll(turn, connection, savepoints: false) ?? runAll(turn, connection, savepoints: true) { failures = found }
            }
        } catch {
            for write in turn { write.answer(.failure(error)) }
            return
        }
        crashPoints?.reach(.afterCommit)
        for (index, write) in turn.enumerated() {
            write.answer(failures[index].map(Result.failure) ?? .success(()))
        }
    }

    /// Runs all writes of a turn in one transaction and commits it.
    ///
    /// - Returns: what the writes threw that left nothing behind; `nil` when one threw that did, so that nothing was committed.
    private func runAll(_ turn: [Write], _ connection: GRDB.Database, savepoints: Bool) throws -> [Int: any Error]? {
        var failures: [Int: any Error] = [:]
        var isUndone = false
        try connection.inTransaction(.immediate) {
            let writer = SQLiteConnection(connection, recordFolder)
            for (index, write) in turn.enumerated() {
                let changes = connection.totalChangesCount
                do {
                    if savepoints { try writer.savepoint { try write.run(writer) } } else { try write.run(writer) }
                } catch {
                    // On a full disk SQLite may roll back the whole transaction; then nobody's write stands.
                    guard connection.isInsideTransaction else { throw error }
                    isUndone = !savepoints && connection.totalChangesCount != changes
                    if isUndone { return .rollback }
                    failures[index] = error
                }
            }
            crashPoints?.reach(.beforeCommit)
            return .commit
        }
        return isUndone ? nil : failures
    }
}
