/// What a new password must be.
public enum PasswordRule {
    /// Characters. Chosen: NIST SP 800-63B-4 §3.1.1.2 asks for 15 where the password is all there is; 12 is what people still take,
    /// and what guards it here is a slow hash and the limit on sign-ins.
    public static let lengths = 12...256

    /// Why a password is refused, or `nil`. There are no rules about kinds of characters (same source).
    public static func refusal(of password: String, email: String) -> String? {
        if !lengths.contains(password.unicodeScalars.count) { return "must be \(lengths.lowerBound) to \(lengths.upperBound) characters" }
        if password.lowercased() == email.lowercased() { return "must not be the e-mail address" }
        return nil
    }
}
