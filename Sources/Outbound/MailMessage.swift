import Foundation

/// One e-mail in plain text.
public struct MailMessage: Sendable, Hashable {
    /// The receiver's address.
    public let to: String
    /// The sender's address.
    public let from: String
    /// One line.
    public let subject: String
    /// The text, lines ended by `\n`.
    public let text: String
    /// A name for the message that stays the same when it is sent again.
    public let identifier: String

    /// A message. Addresses must be single lines without spaces; the subject's line ends become spaces.
    public init(to: String, from: String, subject: String, text: String, identifier: String) {
        self.to = to
        self.from = from
        self.subject = subject
        self.text = text
        self.identifier = identifier
    }

    /// The message as `sendmail -t` reads it: headers, an empty line, the text in base64, lines ended by `\n`.
    ///
    /// Source: RFC 5322; RFC 2045 §6.8 for base64 in lines of 76; RFC 2047 for the subject, whose words hold at most 45 bytes each.
    public var document: String {
        var lines = ["From: \(Self.oneLine(from))", "To: \(Self.oneLine(to))", "Subject: \(Self.encodedWords(Self.oneLine(subject)))"]
        lines += ["Message-ID: <\(Self.oneLine(identifier))@archipelago>", "MIME-Version: 1.0", "Auto-Submitted: auto-generated"]
        lines += ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", ""]
        lines.append(Data(text.utf8).base64EncodedString(options: [.lineLength76Characters, .endLineWithLineFeed]))
        return lines.joined(separator: "\n") + "\n"
    }

    private static func oneLine(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) })
    }

    /// ASCII as it is; other text in encoded words, one a line, each cut between characters.
    private static func encodedWords(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 > 126 }) else { return text }
        var words: [String] = []
        var word = ""
        for character in text {
            if word.utf8.count + String(character).utf8.count > 45 {
                words.append(word)
                word = ""
            }
            word.append(character)
        }
        words.append(word)
        return words.map { "=?utf-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\n ")
    }
}
