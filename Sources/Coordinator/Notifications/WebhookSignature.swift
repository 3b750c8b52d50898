import Crypto
import Foundation

/// The signature of a webhook: HMAC-SHA256 over id, timestamp and body.
///
/// Source: Standard Webhooks 1.0.0, "Signature scheme": the signed text is `{id}.{timestamp}.{body}`, the header holds `v1,` and the
/// base64 of the code, the secret is `whsec_` and the base64 of the key.
enum WebhookSignature {
    static let secretPrefix = "whsec_"
    /// Source: Standard Webhooks asks for 24 to 64 bytes.
    static let keyBytes = 32

    /// A secret as its owner gets it.
    static func secret(key: [UInt8]) -> String { secretPrefix + Data(key).base64EncodedString() }

    /// The headers of one try.
    ///
    /// - Parameter seconds: when it is sent, seconds since 1970 UTC; receivers refuse old ones.
    static func headers(id: String, seconds: Int, body: String, secret: String) -> [(name: String, value: String)] {
        let key = Data(base64Encoded: String(secret.dropFirst(secretPrefix.count))) ?? Data()
        let code = HMAC<SHA256>.authenticationCode(for: Data("\(id).\(seconds).\(body)".utf8), using: SymmetricKey(data: key))
        return [
            ("webhook-id", id), ("webhook-timestamp", String(seconds)), ("webhook-signature", "v1," + Data(code).base64EncodedString()),
        ]
    }
}
