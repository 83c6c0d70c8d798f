/// The system libraries that are opened when they are first used: whether they are here.
public enum OptionalLibraries {
    public static var hasLapack: Bool { (try? Lapack.load()) != nil }
    public static var hasPNG: Bool { PNGLibrary.shared != nil }
    public static var hasJPEG: Bool { JPEGLibrary.shared != nil }
    public static var hasDeflate: Bool { WholeInflate.shared != nil }
}
