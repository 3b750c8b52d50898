import AsyncHTTPClient
import Foundation
import JSON
import NIOCore
import NIOHTTP1
import Sigstore

/// The services that a signer asks: a certificate authority, transparency logs, clocks.
///
/// What they answer is bounded, and nothing of it is believed: whoever signs verifies the finished signature before it leaves the house.
struct SigningServices {
    /// Chosen: an entry with its proof, and a document in it.
    private static let answerBytesMax = 16 << 20
    /// A log of version 2 may take ten seconds until an entry is in its tree. Source: rekor-v2-spec.md.
    private static let timeout: TimeAmount = .seconds(20)

    /// Asks a log of version 1 to take an entry; for one that it has already, fetches that.
    func entry(_ proposed: JSONObject, logAt url: String) async throws -> Sigstore.Bundle.LogEntry {
        let answer = try await post(url + "/api/v1/log/entries", proposed.bytes, type: "application/json", "The transparency log")
        if answer.status == 409, let place = answer.headers.first(name: "Location") {
            // A path at the log's own host; another host is not asked.
            guard let uuid = place.split(separator: "/").last, uuid.allSatisfy(\.isHexDigit) else { throw Self.strange("The transparency log", url) }
            let known = try await send(HTTPClientRequest(url: "\(url)/api/v1/log/entries/\(uuid)"), "The transparency log")
            guard known.status == 200 else { throw Self.refused("The transparency log", known) }
            return try RekorDocuments.entry(answer: Array(known.body.readableBytesView))
        }
        guard answer.status == 201 else { throw Self.refused("The transparency log", answer) }
        return try RekorDocuments.entry(answer: Array(answer.body.readableBytesView))
    }

    /// Asks a log of version 2 to take an entry.
    func entryV2(_ proposed: JSONObject, logAt url: String) async throws -> Sigstore.Bundle.LogEntry {
        let answer = try await post(url + "/api/v2/log/entries", proposed.bytes, type: "application/json", "The transparency log")
        guard (200...201).contains(answer.status) else { throw Self.refused("The transparency log", answer) }
        return try RekorDocuments.entryV2(answer: Array(answer.body.readableBytesView))
    }

    /// Asks a clock for a time stamp over a signature, in DER.
    func timestamp(over signature: [UInt8], clockAt url: String) async throws -> [UInt8] {
        var random = SystemRandomNumberGenerator()
        let nonce = (0..<8).map { _ in UInt8.random(in: 0...255, using: &random) }
        let request = SigningRequests.timestamp(of: signature, nonce: nonce)
        let answer = try await post(url, request, type: "application/timestamp-query", "The time stamp authority")
        guard (200...201).contains(answer.status) else { throw Self.refused("The time stamp authority", answer) }
        return Array(answer.body.readableBytesView)
    }

    /// Asks an authority for a certificate.
    ///
    /// - Parameters:
    ///   - request: in PEM.
    ///   - token: an identity token of an OpenID Connect issuer that the authority knows.
    /// - Returns: in DER, the signer's own.
    func certificate(_ request: String, token: String, authorityAt url: String) async throws -> [UInt8] {
        let body: JSONObject = ["certificateSigningRequest": .string(Data(request.utf8).base64EncodedString())]
        let answer = try await post(url + "/api/v2/signingCert", body.bytes, type: "application/json", "The certificate authority", token: token)
        guard (200...201).contains(answer.status) else { throw Self.refused("The certificate authority", answer) }
        let value = try? JSONValue(parsing: answer.body.readableBytesView)
        let chain = value?["signedCertificateEmbeddedSct"]?["chain"]?["certificates"]?.array
        guard let first = chain?.first?.string, let document = try? PEM.only(in: first, labels: ["CERTIFICATE"]) else {
            throw Self.strange("The certificate authority", url)
        }
        return document.bytes
    }

    private func post(
        _ url: String, _ body: [UInt8], type: String, _ who: String, token: String? = nil
    ) async throws -> HTTPExchange.Answer {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: type)
        request.headers.add(name: "Accept", value: type == "application/json" ? type : "application/timestamp-reply")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        request.body = .bytes(body)
        return try await send(request, who)
    }

    private func send(_ request: HTTPClientRequest, _ who: String) async throws -> HTTPExchange.Answer {
        do {
            return try await HTTPExchange.send(request, timeout: Self.timeout, bytesMax: Self.answerBytesMax)
        } catch {
            throw CommandFailure(.unavailable, "\(who) at \(request.url) cannot be reached (\(error)).")
        }
    }

    private static func refused(_ who: String, _ answer: HTTPExchange.Answer) -> CommandFailure {
        let value = try? JSONValue(parsing: answer.body.readableBytesView)
        let words = value?["message"]?.string ?? String(String(buffer: answer.body).prefix(200))
        return CommandFailure(.refused, "\(who) answered \(answer.status): \(Terminal.printable(words))")
    }

    private static func strange(_ who: String, _ url: String) -> CommandFailure {
        CommandFailure(.unavailable, "\(who) at \(url) does not answer like one; check the address.")
    }
}
