/// Checks a package's files of weights against the values that the model keeps in them.
///
/// Source: coremltools 9.0, `MILBlob/Blob/StorageFormat.hpp`: a header of 64 bytes, the second of whose 32-bit numbers is the version, 2;
/// for each value a description of 64 bytes: the mark `DEADBEEF`, the type of its numbers, their size and their offset in 64 bits each; all
/// little-endian, everything aligned to 64 bytes.
struct CoreMLWeights {
    /// What stands before a path in a model's own folder. Source: the models that coremltools 9.0 writes.
    private static let modelFolder = "@model_path/"
    /// The one folder for weights beside a model. Source: as above.
    private static let weightsFolder = "weights/"
    private static let blockBytes = 64
    private static let version: UInt64 = 2
    private static let mark: UInt64 = 0xDEAD_BEEF

    /// Checks every value; files that the model does not name in the right way are objected to.
    ///
    /// - Parameters:
    ///   - folder: the model's folder in the artifact, `/` last, or empty.
    ///   - files: the artifact's files by their name, without the model and the manifest.
    /// - Returns: the names of the files that values are kept in.
    /// - Throws: `malformed_artifact` for a file that is none of weights, or has no value where the model says so.
    static func check(
        _ model: CoreMLModel, modelFile: String, folder: String, files: [String: ArtifactBytes], _ draft: inout ArtifactDraft
    ) throws(ScanFailure) -> Set<String> {
        var offsets: [String: Set<UInt64>] = [:]
        for blob in model.blobs { offsets[blob.file, default: []].insert(blob.offset) }
        var used: Set<String> = []
        for (file, offsets) in offsets.sorted(by: { $0.key < $1.key }) {
            let path = file.hasPrefix(modelFolder) ? String(file.dropFirst(modelFolder.count)) : ""
            guard path.hasPrefix(weightsFolder), ArtifactInspector.staysInside(path), let source = files[folder + path] else {
                draft.find(.coremlBlobFile, in: modelFile, "weights in \(file), which is no file of weights in the package")
                continue
            }
            used.insert(source.name)
            try check(source, offsets.sorted())
        }
        return used
    }

    private static func check(_ source: ArtifactBytes, _ offsets: [UInt64]) throws(ScanFailure) {
        guard source.count >= blockBytes, try number(source, at: 4, bytes: 4) == version else {
            throw .malformed(source.name, at: 0, expected: "a file of weights, version \(version)")
        }
        var ranges: [Range<Int>] = []
        for offset in offsets {
            guard offset <= UInt64(source.count - blockBytes), try number(source, at: Int(offset), bytes: 4) == mark else {
                throw .malformed(source.name, at: Int(clamping: offset), expected: "the description of a value")
            }
            let size = try number(source, at: Int(offset) + 8, bytes: 8)
            let start = try number(source, at: Int(offset) + 16, bytes: 8)
            guard start <= UInt64(source.count), size <= UInt64(source.count) - start else {
                throw .malformed(source.name, at: Int(offset) + 8, expected: "a value inside the file")
            }
            ranges.append(Int(start)..<Int(start + size))
        }
        note(source, descriptions: offsets.map { Int($0)..<Int($0) + blockBytes }, values: ranges)
    }

    /// Notes values as weights, and what is neither header, description nor value as unexplained; gaps shorter than the alignment are padding
    /// and count with the weights. Where ranges overlap, a byte counts once, as what comes first.
    private static func note(_ source: ArtifactBytes, descriptions: [Range<Int>], values: [Range<Int>]) {
        let all = descriptions.map { (range: $0, isValue: false) } + values.map { (range: $0, isValue: true) }
        var end = blockBytes
        for one in all.sorted(by: { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }) {
            if one.range.lowerBound > end {
                let gap = one.range.lowerBound - end
                source.note(gap, as: gap < blockBytes ? .weights : .opaque)
                end = one.range.lowerBound
            }
            guard one.range.upperBound > end else { continue }
            if one.isValue { source.note(one.range.upperBound - end, as: .weights) }
            end = one.range.upperBound
        }
        source.note(source.count - end, as: source.count - end < blockBytes ? .weights : .opaque)
    }

    /// A little-endian number.
    private static func number(_ source: ArtifactBytes, at offset: Int, bytes: Int) throws(ScanFailure) -> UInt64 {
        try source.bytes(offset..<offset + bytes).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
