public import JSON

/// An entry of a log as its clients get it, with all that proves it.
///
/// Source: sigstore/rekor, openapi.yaml, `LogEntry`.
public struct LoggedEntry: Sendable, Hashable {
    /// The number of the log's tree and the entry's hash: 16 and 64 lower-case hexadecimal digits.
    public let uuid: String
    public let body: [UInt8]
    /// Its place in the log, from 0.
    public let index: Int
    /// When it was taken, in seconds since 1970 UTC.
    public let integratedTime: Int
    /// The log's, in hexadecimal.
    public let logID: String
    /// The signed entry timestamp.
    public let promise: [UInt8]
    public let proof: Proof

    /// That the entry is in a tree.
    public struct Proof: Sendable, Hashable {
        public let treeSize: Int
        public let root: [UInt8]
        /// Hashes of neighbours, from the leaf up.
        public let hashes: [[UInt8]]
        /// A signed note.
        public let checkpoint: String

        /// A proof.
        public init(treeSize: Int, root: [UInt8], hashes: [[UInt8]], checkpoint: String) {
            self.treeSize = treeSize
            self.root = root
            self.hashes = hashes
            self.checkpoint = checkpoint
        }
    }

    /// An entry of a signer's log.
    public init(_ signer: LogSigner, body: [UInt8], index: Int, integratedTime: Int, promise: [UInt8], proof: Proof) {
        uuid = signer.treeIDHexadecimal + Hexadecimal.text(MerkleTree.leafHash(body))
        logID = signer.idHexadecimal
        self.body = body
        self.index = index
        self.integratedTime = integratedTime
        self.promise = promise
        self.proof = proof
    }

    /// The entry under its UUID.
    public var json: JSONObject {
        [
            uuid: [
                "body": .string(Base64.text(body)), "integratedTime": .int(integratedTime), "logID": .string(logID), "logIndex": .int(index),
                "verification": [
                    "inclusionProof": [
                        "checkpoint": .string(proof.checkpoint), "hashes": .array(proof.hashes.map { .string(Hexadecimal.text($0)) }),
                        "logIndex": .int(index), "rootHash": .string(Hexadecimal.text(proof.root)), "treeSize": .int(proof.treeSize),
                    ], "signedEntryTimestamp": .string(Base64.text(promise)),
                ],
            ]
        ]
    }
}
