import Foundation

/// Questions to the person at the terminal.
enum Prompt {
    /// Asks for a line on the terminal.
    ///
    /// - Parameter remedy: what to do where nobody can be asked.
    static func line(_ question: String, remedy: String) throws -> String {
        guard isatty(STDIN_FILENO) == 1 else { throw CommandFailure(.usage, "There is no terminal to ask on; \(remedy).") }
        Terminal.ask(question)
        guard let answer = readLine() else { throw CommandFailure(.usage, "No answer; \(remedy).") }
        return answer.trimmingCharacters(in: .whitespaces)
    }

    /// Asks for a secret on the terminal, without showing it.
    static func secret(_ question: String, remedy: String) throws -> String {
        guard let terminal = try SilentTerminal() else { throw CommandFailure(.usage, "There is no terminal to ask on; \(remedy).") }
        return try terminal.ask(question)
    }

    /// Asks for a new password, twice, so that a slip of the hand is noticed.
    static func newPassword(_ question: String, remedy: String) throws -> String {
        let password = try secret(question, remedy: remedy)
        guard try secret("The same again: ", remedy: remedy) == password else {
            throw CommandFailure(.usage, "The two passwords are not the same; nothing was changed.")
        }
        return password
    }

    /// The next line of stdin, where a program hands over a password.
    static func passwordFromStandardInput() throws -> String {
        guard let line = readLine(), !line.isEmpty else {
            throw CommandFailure(.usage, "--password-stdin was given, but stdin has no line with a password.")
        }
        return line
    }
}

/// The terminal of this process, for questions whose answers are not shown.
private final class SilentTerminal {
    private let descriptor: Int32

    /// The terminal; `nil` when this process has none.
    init?() throws {
        descriptor = open("/dev/tty", O_RDWR | O_CLOEXEC)
        if descriptor < 0 { return nil }
    }

    deinit { close(descriptor) }

    /// Chosen: four times the longest password of the network, in bytes of UTF-8.
    private static let answerBytesMax = 4096

    private enum Key {
        static let interrupt: UInt8 = 3, end: UInt8 = 4, backspace: UInt8 = 8, lineFeed: UInt8 = 10, carriageReturn: UInt8 = 13
        static let clear: UInt8 = 21, delete: UInt8 = 127
    }

    /// Asks, and reads one line without echo. The terminal is as before when this returns or throws; so Ctrl-C is read here as
    /// a key, because a process that a signal ends would leave the echo off.
    func ask(_ question: String) throws -> String {
        var before = termios()
        // Safety: `before` and `silent` live on this stack, and each call is over when it returns.
        guard tcgetattr(descriptor, &before) == 0 else { throw CommandFailure(.unavailable, "The terminal cannot be asked for a password.") }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        guard tcsetattr(descriptor, TCSAFLUSH, &silent) == 0 else {
            throw CommandFailure(.unavailable, "The terminal cannot be kept from showing the password; use --password-stdin.")
        }
        defer {
            tcsetattr(descriptor, TCSAFLUSH, &before)
            say("\n")
        }
        say(question)
        return try readAnswer()
    }

    private func readAnswer() throws -> String {
        var answer: [UInt8] = []
        while true {
            switch try readByte() {
            case nil, Key.end?, Key.interrupt?: throw CommandFailure(.failed, "Cancelled; nothing was changed.")
            case Key.lineFeed?, Key.carriageReturn?:
                guard let text = String(validating: answer, as: UTF8.self) else { throw CommandFailure(.usage, "That was not UTF-8 text.") }
                return text
            case Key.backspace?, Key.delete?:
                // A character of several bytes goes as a whole: its continuation bytes are 10xxxxxx (RFC 3629 §3).
                while let last = answer.popLast(), last & 0xC0 == 0x80 {}
            case Key.clear?: answer.removeAll()
            case let byte?:
                guard answer.count < Self.answerBytesMax else { throw CommandFailure(.usage, "That is too long for a password.") }
                answer.append(byte)
            }
        }
    }

    private func readByte() throws -> UInt8? {
        var byte: UInt8 = 0
        while true {
            // Safety: one byte is read into `byte`, which lives on this stack.
            let (count, reason) = (read(descriptor, &byte, 1), errno)
            if count == 1 { return byte }
            if count == 0 { return nil }
            guard reason == EINTR else { throw CommandFailure(.unavailable, "The terminal cannot be read.") }
        }
    }

    private func say(_ text: String) {
        // A terminal that cannot be written to cannot be read either; that is told then.
        try? FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).write(contentsOf: Data(text.utf8))
    }
}
