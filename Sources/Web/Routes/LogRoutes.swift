import Coordinator
import Domain
import HTTPTypes
import Hummingbird
import JSON
import NIOCore
import Sigstore

extension RouterGroup<APIContext> {
    /// The transparency log as clients of Rekor version 1 know it, below their `api/v1`. Nobody needs a key.
    ///
    /// Source: sigstore/rekor, openapi.yaml.
    func addLog(_ log: TransparencyLog) {
        post("log/entries") { request, _ -> Response in
            let entry = try await log.append(try await request.object(bytesMax: LogLimits.bodyBytesMax))
            var response = Response.json(.object(entry.json), status: .created)
            response.headers[.location] = request.location(uuid: entry.uuid)
            response.headers[.eTag] = "\"\(entry.uuid)\""
            return response
        }
        get("log/entries") { request, _ -> Response in
            guard let index = try request.number("logIndex", in: 0...Int.max) else {
                throw ServiceError(.malformed, code: "missing_index", "Say which entry by logIndex.")
            }
            return .json(.object(try await log.entry(index: index).json))
        }
        get("log/entries/:uuid") { _, context -> Response in
            .json(.object(try await log.entry(uuid: try context.text("uuid")).json))
        }
        post("log/entries/retrieve") { request, _ -> Response in
            let query = try TransparencyLog.Query(try await request.object(bytesMax: LogLimits.queryBytesMax))
            return .json(.array(try await log.retrieve(query).map { .object($0.json) }))
        }
        post("index/retrieve") { request, _ -> Response in
            guard let digest = try await request.object()["hash"]?.string else {
                throw ServiceError(.malformed, code: "missing_hash", "This log is searched by hash alone: {\"hash\": \"sha256:…\"}.")
            }
            return .json(.array(try await log.search(digest: digest).map(JSONValue.string)))
        }
        addLogTree(log)
    }

    private func addLogTree(_ log: TransparencyLog) {
        get("log") { _, _ -> Response in
            let state = try await log.state()
            return .json([
                "rootHash": .string(Hexadecimal.text(state.root)), "treeSize": .int(state.size), "signedTreeHead": .string(state.checkpoint),
                "treeID": .string(String(log.signer.treeID)), "inactiveShards": [],
            ])
        }
        get("log/proof") { request, _ -> Response in
            guard let last = try request.number("lastSize", in: 1...Int.max) else {
                throw ServiceError(.malformed, code: "missing_size", "Say by lastSize up to which size.")
            }
            let first = try request.number("firstSize", in: 1...Int.max) ?? 1
            if let tree = try request.query("treeID"), tree != String(log.signer.treeID) { throw ServiceError.notFound("tree '\(tree.prefix(64))'") }
            let proof = try await log.consistency(firstSize: first, lastSize: last)
            return .json(["rootHash": .string(Hexadecimal.text(proof.root)), "hashes": .array(proof.hashes.map { .string(Hexadecimal.text($0)) })])
        }
        get("log/publicKey") { _, _ -> Response in
            .bytes(Array(log.signer.publicKeyPEM.utf8), type: "application/x-pem-file")
        }
    }

    /// The log's tree as tiles. Source: C2SP tlog-tiles.
    func addLogTiles(_ log: TransparencyLog) {
        get("checkpoint") { _, _ -> Response in
            .bytes(Array(try await log.state().checkpoint.utf8), type: "text/plain; charset=utf-8")
        }
        get("tile/**") { _, context -> Response in
            let text = context.parameters.getCatchAll().joined(separator: "/")
            guard let path = LogTilePath(text) else { throw ServiceError.notFound("tile '\(text.prefix(64))'") }
            var response = Response.bytes(try await log.tile(path), type: "application/octet-stream")
            // A tile's first so many hashes never change. Source: C2SP tlog-tiles, "APIs".
            response.headers[.cacheControl] = "public, max-age=31536000, immutable"
            return response
        }
    }
}

/// What the log's routes take.
private enum LogLimits {
    /// Chosen: hundreds of times the usual entry; an envelope holds a whole statement.
    static let bodyBytesMax = 1 << 20
    /// Chosen: room for as many proposed entries as may be asked for, of the usual size.
    static let queryBytesMax = 4 << 20
}

extension Response {
    fileprivate static func bytes(_ bytes: [UInt8], type: String) -> Response {
        Response(status: .ok, headers: [.contentType: type], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// A refusal as clients of Rekor read it: `{"code", "message"}`. Source: sigstore/rekor, openapi.yaml, `Error`.
    static func rekor(_ error: ServiceError, status: HTTPResponse.Status, to request: Request) -> Response {
        // What can be read and is wrong has no status of its own there.
        let status = error.kind == .invalid ? HTTPResponse.Status.badRequest : status
        let details = error.details.map { " \($0.pointer) \($0.message)." }.joined()
        var response = Response.json(["code": .int(status.code), "message": .string(error.message + details)], status: status)
        if let uuid = error.context["uuid"]?.string { response.headers[.location] = request.location(uuid: uuid) }
        return response
    }
}

extension Request {
    /// Where the log's own address ends that was asked; `nil` for a request that is not for the log, whose answers are Rekor's.
    ///
    /// Clients written in Go forget the path of a log's address (sigstore/rekor, pkg/client), so the log is also at the root.
    private var logAddress: String? {
        if uri.path.hasPrefix("/rekor/") { return "/rekor" }
        return uri.path == "/api/v1/log" || uri.path.hasPrefix("/api/v1/log/") || uri.path.hasPrefix("/api/v1/index/") ? "" : nil
    }

    /// Whether its answers are Rekor's.
    var isForLog: Bool { logAddress != nil }

    /// Where an entry is, for the client that asks.
    fileprivate func location(uuid: String) -> String { "\(logAddress ?? "/rekor")/api/v1/log/entries/\(uuid)" }

    /// This server's own address as the asker knows it, without a slash at its end; by TLS wherever it is not this machine itself.
    var ownAddress: String {
        let host = head.authority ?? "localhost"
        return (SessionCookie.isLocal(host) ? "http://" : "https://") + host
    }
}
