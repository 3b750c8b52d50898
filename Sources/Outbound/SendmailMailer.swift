import Foundation
import Subprocess
import SystemPackage

/// Hands e-mail to the machine's own mail program, as `sendmail -t -i` does: the message on stdin, the receivers from its headers.
///
/// The message stands in a file, not a pipe, because swift-subprocess 1.0.2 crashes when a program ends without reading its pipe.
public struct SendmailMailer: Mailer {
    private let program: String
    private let arguments: [String]

    /// Chosen: a mail program only queues; one that takes longer hangs.
    private static let timeout = Duration.seconds(30)

    /// A mailer.
    ///
    /// - Parameter command: the program's path and its arguments, for example `["/usr/sbin/sendmail", "-t", "-i"]`.
    /// - Throws: ``OutboundError`` `mailRefused` for an empty command.
    public init(command: [String]) throws(OutboundError) {
        guard let program = command.first, program.hasPrefix("/") else {
            throw .mailRefused("the mail command must begin with the absolute path of a program")
        }
        self.program = program
        arguments = Array(command.dropFirst())
    }

    public func send(_ message: MailMessage) async throws(OutboundError) {
        let result: Result<Void, OutboundError>
        do {
            result = try await withThrowingTaskGroup(of: Result<Void, OutboundError>.self) { group in
                group.addTask { try await run(message.document) }
                group.addTask {
                    try await Task.sleep(for: Self.timeout)
                    return .failure(.mailRefused("the mail command did not end within \(Self.timeout.components.seconds) s"))
                }
                defer { group.cancelAll() }
                return try await group.next() ?? .failure(.mailRefused("the mail command did not run"))
            }
        } catch {
            result = .failure(.mailRefused("the mail command cannot be run: \(program)"))
        }
        try result.get()
    }

    private func run(_ document: String) async throws -> Result<Void, OutboundError> {
        let input = try Self.file(holding: document)
        let ended = try await Subprocess.run(
            .path(FilePath(program)), arguments: Arguments(arguments), environment: .custom(["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]),
            input: .fileDescriptor(input, closeAfterSpawningProcess: true), output: .discarded, error: .string(limit: 4096))
        if ended.terminationStatus.isSuccess { return .success(()) }
        let words = ended.standardError.split(separator: "\n").last.map(String.init) ?? "no words"
        return .failure(.mailRefused("the mail command failed (\(ended.terminationStatus)): \(words)"))
    }

    /// An open file without a name, readable by nobody else, at its beginning.
    private static func file(holding text: String) throws -> FileDescriptor {
        let folder = FileManager.default.temporaryDirectory.path
        let path = "\(folder)/archipelago-mail-\(UUID().uuidString)"
        let file = try FileDescriptor.open(
            FilePath(path), .readWrite, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
        do {
            try FileManager.default.removeItem(atPath: path)
            try file.writeAll(text.utf8)
            try file.seek(offset: 0, from: .start)
            return file
        } catch {
            try file.close()
            throw error
        }
    }
}
