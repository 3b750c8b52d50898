import JSON

/// What a bundle's format demands of the proof of a log entry.
enum LogProofRule: Sendable {
    /// The log's signed promise is enough; proofs came later.
    case promise
    /// That the entry is in a tree whose checkpoint the log signed.
    case inclusion
}

extension TrustedRoot.Log {
    /// Verifies that the log has an entry.
    ///
    /// - Returns: when the log says that it took the entry, where that is signed.
    func verify(_ entry: Bundle.LogEntry, _ rule: LogProofRule) throws(Refusal) -> Moment? {
        var time: Moment?
        if let promise = entry.signedEntryTimestamp {
            try verify(promise, of: entry)
            guard entry.integratedTime <= Moment.secondsMax else { throw Refusal(.logEntryMalformed, "The log entry's time is none.") }
            let signed = Moment(seconds: entry.integratedTime)
            guard validity.contains(signed) else { throw Refusal(.logOutsideValidity, "The log was not trusted when it took the entry.") }
            time = signed
        } else if rule == .promise {
            throw Refusal(.promiseMissing, "The log's signed promise is missing.")
        }
        if let proof = entry.inclusionProof {
            try verify(proof, of: entry, rule)
        } else if rule == .inclusion {
            throw Refusal(.inclusionProofMissing, "The proof that the entry is in the log is missing.")
        }
        return time
    }

    private func verify(_ promise: [UInt8], of entry: Bundle.LogEntry) throws(Refusal) {
        let signed = LogPromise.signedBytes(
            body: entry.canonicalizedBody, integratedTime: entry.integratedTime, logID: entry.logID, index: entry.logIndex)
        guard key.isSignature(promise, over: signed, hash: hash) else {
            throw Refusal(.promiseInvalid, "The log has not signed a promise of this entry.")
        }
    }

    private func verify(_ proof: Bundle.InclusionProof, of entry: Bundle.LogEntry, _ rule: LogProofRule) throws(Refusal) {
        if !proof.checkpoint.isEmpty {
            try requireCheckpoint(of: proof)
        } else if rule == .inclusion {
            throw Refusal(.checkpointMissing, "The log's checkpoint is missing.")
        }
        do throws(MerkleTree.ProofError) {
            try MerkleTree.verifyInclusion(
                leafHash: MerkleTree.leafHash(entry.canonicalizedBody), index: proof.logIndex, size: proof.treeSize, proof: proof.hashes,
                root: proof.rootHash)
        } catch {
            throw Refusal(.inclusionProofInvalid, "The entry's proof does not lead to the tree's hash: \(error.rawValue).")
        }
    }

    /// Insists that the log signed the tree that the proof is of.
    private func requireCheckpoint(of proof: Bundle.InclusionProof) throws(Refusal) {
        let checkpoint: Checkpoint
        do throws(SignedNote.Malformed) { checkpoint = try Checkpoint(parsing: proof.checkpoint) } catch {
            throw Refusal(.checkpointMalformed, "The log's checkpoint cannot be read: \(error.message).")
        }
        try verify(checkpoint)
        guard checkpoint.size == proof.treeSize, checkpoint.root == proof.rootHash else {
            throw Refusal(.checkpointMismatch, "The log's checkpoint is of another tree than the proof.")
        }
    }

    /// Verifies that the log signed a checkpoint; lines of signers that are unknown here are passed over.
    public func verify(_ checkpoint: Checkpoint) throws(Refusal) {
        let origin = checkpoint.origin
        let mine = checkpoint.note.signatures.filter { line in
            // In version 1 the origin is the signer's name and the number of a tree.
            line.keyID == keyID && (line.name.isSameText(as: origin) || origin.utf8.starts(with: "\(line.name) ".utf8))
        }
        guard !mine.isEmpty else { throw Refusal(.checkpointUnsigned, "The log has not signed its checkpoint.") }
        guard mine.allSatisfy({ key.isSignature($0.bytes, over: checkpoint.note.text, hash: hash) }) else {
            throw Refusal(.checkpointSignatureInvalid, "The log's signature of its checkpoint is wrong.")
        }
    }

    /// The four bytes that signature lines name the log's key by.
    private var keyID: [UInt8] { checkpointKeyID ?? Array(id.prefix(SignedNote.keyIDBytes)) }
}
