import Foundation
import Outbound
import Testing

@Suite(.timeLimit(.minutes(5))) struct MailTests {
    private static func message(subject: String = "Hello", to: String = "a@example.com") -> MailMessage {
        MailMessage(to: to, from: "network@example.com", subject: subject, text: "Grüße\n.\nEnd\n", identifier: "evt_1")
    }

    @Test func theDocumentHasItsHeadersAndTheTextInBase64() {
        let lines = Self.message().document.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.prefix(3) == ["From: network@example.com", "To: a@example.com", "Subject: Hello"])
        #expect(lines.contains("Message-ID: <evt_1@archipelago>"))
        let body = lines[(lines.firstIndex(of: "") ?? 0)...].joined()
        #expect(Data(base64Encoded: body).map { String(decoding: $0, as: UTF8.self) } == "Grüße\n.\nEnd\n")
    }

    @Test(arguments: ["x\nBcc: evil@example.com", "x\r\nBcc: evil@example.com", "x\rBcc: y", "x\u{85}Bcc: y", "x\u{0}y"])
    func noWordBecomesAHeader(text: String) {
        for document in [Self.message(subject: text).document, Self.message(to: text).document] {
            let headers = document.components(separatedBy: "\n\n")[0]
            #expect(!headers.split(whereSeparator: \.isNewline).contains { $0.hasPrefix("Bcc") })
            #expect(headers.split(separator: "\n").filter { !$0.hasPrefix(" ") }.count == 8)
        }
    }

    @Test func aSubjectBeyondASCIIIsEncodedInWordsOfAtMost75Characters() {
        let subject = String(repeating: "Grüße aus Köln 🙂 ", count: 8)
        let lines = Self.message(subject: subject).document.split(separator: "\n").filter { $0.contains("=?utf-8?B?") }
        let words = lines.map { $0.drop { $0 != "=" } }
        #expect(words.allSatisfy { $0.count <= 75 })
        let text = words.map { Data(base64Encoded: String($0.dropFirst(10).dropLast(2))).map { String(decoding: $0, as: UTF8.self) } ?? "?" }.joined()
        #expect(text == subject)
    }

    @Test func theProgramGetsTheDocument() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("archipelago-mail-\(UInt64.random(in: 0...UInt64.max))")
        defer { try? FileManager.default.removeItem(at: file) }
        try await SendmailMailer(command: ["/bin/sh", "-c", "cat > '\(file.path)'"]).send(Self.message())
        #expect(try String(contentsOf: file, encoding: .utf8) == Self.message().document)
    }

    @Test(arguments: [["/bin/false"], ["/nonexistent/sendmail"], ["/bin/sh", "-c", "echo no such user >&2; exit 67"]])
    func aProgramThatFailsIsARefusal(command: [String]) async throws {
        let mailer = try SendmailMailer(command: command)
        await #expect(throws: OutboundError.self) { try await mailer.send(Self.message()) }
    }

    @Test(arguments: [[], ["sendmail"], ["./sendmail"]]) func aProgramWithoutItsWholePathIsRefused(command: [String]) {
        #expect(throws: OutboundError.self) { try SendmailMailer(command: command) }
    }
}
