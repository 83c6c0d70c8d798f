/// Names that Pachyderm can store. A file in `/pfs/out` with any other name makes the job restart for ever.
package enum OutputName {
    private static let forbidden = Set("*?[]{}!()@+^".utf8)

    /// What is wrong with a path below `/pfs/out`; nil when nothing is.
    package static func problem(_ path: String) -> String? {
        for byte in path.utf8 {
            if byte < 0x20 || byte > 0x7E { return "it holds a character that is not printable ASCII" }
            if forbidden.contains(byte) { return "it holds '\(Character(Unicode.Scalar(byte)))'" }
        }
        return nil
    }
}
