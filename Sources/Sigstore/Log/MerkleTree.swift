import Crypto

/// Proofs of a Merkle tree of a transparency log.
///
/// Source: RFC 6962 §2.1; the algorithms are those of RFC 9162 §2.1.3.2 and §2.1.4.2.
public enum MerkleTree {
    /// Bytes of every hash.
    public static let hashBytes = 32

    /// The hash of a tree without leaves.
    public static var emptyRoot: [UInt8] { Array(SHA256.hash(data: [UInt8]())) }

    /// The hash of an entry.
    public static func leafHash(_ entry: some Sequence<UInt8>) -> [UInt8] { Array(SHA256.hash(data: [0x00] + entry)) }

    /// The hash over two neighbours.
    public static func nodeHash(_ left: [UInt8], _ right: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: [0x01] + left + right)) }

    /// Why a proof proves nothing.
    public enum ProofError: String, Error, Sendable, Hashable {
        /// The index lies outside the tree, or a size is wrong.
        case outOfRange = "out_of_range"
        /// A hash is not of ``MerkleTree/hashBytes`` bytes, or there are too many or too few.
        case malformed
        /// It leads to another root.
        case otherRoot = "other_root"
    }

    /// Insists that a leaf is in a tree.
    ///
    /// - Parameters:
    ///   - leafHash: the leaf's hash.
    ///   - index: the leaf's place, from 0.
    ///   - size: leaves of the tree.
    ///   - proof: hashes of neighbours, from the leaf up.
    ///   - root: the tree's hash.
    public static func verifyInclusion(leafHash: [UInt8], index: Int, size: Int, proof: [[UInt8]], root: [UInt8]) throws(ProofError) {
        guard index >= 0, index < size else { throw .outOfRange }
        guard ([leafHash, root] + proof).allSatisfy({ $0.count == hashBytes }) else { throw .malformed }
        var (place, last) = (index, size - 1)
        var hash = leafHash
        for neighbour in proof {
            guard last > 0 else { throw .malformed }
            if place & 1 == 1 || place == last {
                hash = nodeHash(neighbour, hash)
                // A node without a right neighbour rises until it has a left one.
                while place & 1 == 0, place > 0 { (place, last) = (place >> 1, last >> 1) }
            } else {
                hash = nodeHash(hash, neighbour)
            }
            (place, last) = (place >> 1, last >> 1)
        }
        guard last == 0 else { throw .malformed }
        guard hash == root else { throw .otherRoot }
    }

    /// Insists that a tree is the beginning of another.
    ///
    /// A tree without leaves is the beginning of every one, so a proof of that says nothing and is refused.
    public static func verifyConsistency(
        size: Int, root: [UInt8], laterSize: Int, laterRoot: [UInt8], proof: [[UInt8]]
    ) throws(ProofError) {
        guard size > 0, size <= laterSize else { throw .outOfRange }
        if size == laterSize {
            guard proof.isEmpty else { throw .malformed }
            guard root == laterRoot else { throw .otherRoot }
            return
        }
        guard ([root, laterRoot] + proof).allSatisfy({ $0.count == hashBytes }) else { throw .malformed }
        // The hash of a whole earlier tree of 2^n leaves is a node of the later one, and is left out of the proof.
        let isWhole = size & (size - 1) == 0
        guard let first = isWhole ? root : proof.first else { throw .malformed }
        var (place, last) = (size - 1, laterSize - 1)
        while place & 1 == 1 { (place, last) = (place >> 1, last >> 1) }
        var (earlier, later) = (first, first)
        for neighbour in isWhole ? proof[...] : proof.dropFirst() {
            guard last > 0 else { throw .malformed }
            if place & 1 == 1 || place == last {
                (earlier, later) = (nodeHash(neighbour, earlier), nodeHash(neighbour, later))
                while place & 1 == 0, place > 0 { (place, last) = (place >> 1, last >> 1) }
            } else {
                later = nodeHash(later, neighbour)
            }
            (place, last) = (place >> 1, last >> 1)
        }
        guard last == 0 else { throw .malformed }
        guard earlier == root, later == laterRoot else { throw .otherRoot }
    }
}
