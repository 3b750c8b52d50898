/// Platforms in the words of the OCI image specification.
enum Platform {
    /// Whether an image's platform is the expected one.
    ///
    /// Operating system and architecture must be the same; a variant counts only when both name one, because many images
    /// for `arm64` leave `v8` out.
    static func matches(_ found: String?, expected: String) -> Bool {
        guard let found else { return false }
        let left = found.split(separator: "/", omittingEmptySubsequences: false)
        let right = expected.split(separator: "/", omittingEmptySubsequences: false)
        guard (2...3).contains(left.count), (2...3).contains(right.count), left[0] == right[0], left[1] == right[1] else {
            return false
        }
        return left.count < 3 || right.count < 3 || left[2] == right[2]
    }
}
