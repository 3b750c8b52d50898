import JSON
import Testing

@testable import Sigstore

/// Proofs of transparency-dev/merkle.
@Suite struct MerkleTreeTests {
    private static func hashes(_ value: JSONValue?) -> [[UInt8]] { (value?.array ?? []).map { hash($0) } }

    private static func hash(_ value: JSONValue?) -> [UInt8] { value?.string.flatMap(Base64.bytes) ?? [] }

    @Test func inclusion() throws {
        let vectors = try #require(try Fixture.json("vectors/merkle-inclusion.json").array)
        #expect(vectors.count == 65)
        for vector in vectors {
            var refusal: MerkleTree.ProofError?
            do throws(MerkleTree.ProofError) {
                try MerkleTree.verifyInclusion(
                    leafHash: Self.hash(vector["leafHash"]), index: vector["leafIdx"]?.int ?? -1, size: vector["treeSize"]?.int ?? -1,
                    proof: Self.hashes(vector["proof"]), root: Self.hash(vector["root"]))
            } catch { refusal = error }
            #expect((refusal != nil) == vector["wantErr"]?.bool, "\(vector["source"]?.string ?? "")")
        }
    }

    @Test func consistency() throws {
        let vectors = try #require(try Fixture.json("vectors/merkle-consistency.json").array)
        #expect(vectors.count == 65)
        for vector in vectors {
            var refusal: MerkleTree.ProofError?
            do throws(MerkleTree.ProofError) {
                try MerkleTree.verifyConsistency(
                    size: vector["size1"]?.int ?? -1, root: Self.hash(vector["root1"]), laterSize: vector["size2"]?.int ?? -1,
                    laterRoot: Self.hash(vector["root2"]), proof: Self.hashes(vector["proof"]))
            } catch { refusal = error }
            #expect((refusal != nil) == vector["wantErr"]?.bool, "\(vector["source"]?.string ?? "")")
        }
    }

    @Test func hashesOfRFC6962() {
        #expect(Hexadecimal.text(MerkleTree.emptyRoot) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(Hexadecimal.text(MerkleTree.leafHash([])) == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
    }
}
