/// The way out to servers of strangers: publishers' webhooks and domains.
public protocol OutboundDoor: Sendable {
    /// Which addresses may be called.
    var policy: AddressPolicy { get }

    /// Posts a document and returns the answer's HTTP status; redirects are not followed.
    ///
    /// - Throws: ``OutboundError`` when no answer came.
    func post(_ url: OutboundURL, headers: [(name: String, value: String)], body: [UInt8]) async throws(OutboundError) -> Int

    /// Fetches a small document; redirects are not followed.
    ///
    /// - Parameter bytesMax: a longer document is refused.
    /// - Throws: ``OutboundError`` when no answer came or it is too long.
    func get(_ url: OutboundURL, bytesMax: Int) async throws(OutboundError) -> (status: Int, body: [UInt8])
}

/// Sends e-mail.
public protocol Mailer: Sendable {
    /// Hands a message over for delivery.
    ///
    /// - Throws: ``OutboundError`` `mailRefused` when it was not taken.
    func send(_ message: MailMessage) async throws(OutboundError)
}

/// Why a call to a stranger's server led to nothing.
public enum OutboundError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The address may not be called, or is none; the words say what would be right.
    case unusableAddress(String)
    /// No connection, no answer in time, or no HTTP.
    case noAnswer(String)
    /// The answer is longer than wanted.
    case tooLong(bytesMax: Int)
    /// The mail program did not take the message.
    case mailRefused(String)

    /// In words that may be shown to the one who gave the address.
    public var description: String {
        switch self {
        case .unusableAddress(let rule): rule
        case .noAnswer(let why): why
        case .tooLong(let most): "the answer is longer than \(most) bytes"
        case .mailRefused(let why): why
        }
    }
}
