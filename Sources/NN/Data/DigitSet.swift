/// The families of 28x28 grey images that come as IDX files: what their files are called, what
/// their classes are, and the mean and deviation of their training pixels (0..1).
public struct DigitSet: Sendable {
    /// Name as in error messages: "mnist".
    public let name: String
    /// Folders that usually hold it, tried before others.
    let folders: [String]
    /// Prefix of its file names: "" or "emnist-letters-".
    let prefix: String
    public let classes: [String]
    public let mean: Double
    public let std: Double
    /// EMNIST's images lie on their side in the files.
    let isTransposed: Bool
    /// "test" split's name in file names.
    let testName: String

    private init(
        _ name: String, folders: [String], prefix: String = "", classes: [String], mean: Double, std: Double,
        isTransposed: Bool = false, testName: String = "t10k"
    ) {
        self.name = name
        self.folders = folders
        self.prefix = prefix
        self.classes = classes
        self.mean = mean
        self.std = std
        self.isTransposed = isTransposed
        self.testName = testName
    }

    private static let digits = (0...9).map(String.init)
    private static let capitals = (0..<26).map { String(UnicodeScalar(UInt8(65 + $0))) }
    private static let smalls = (0..<26).map { String(UnicodeScalar(UInt8(97 + $0))) }

    public static let mnist = DigitSet("mnist", folders: ["MNIST/raw", "mnist", "MNIST"], classes: digits, mean: 0.1307, std: 0.3081)

    public static let fashionMNIST = DigitSet(
        "fashion_mnist", folders: ["FashionMNIST/raw", "fashion_mnist", "fashion-mnist", "FashionMNIST", "fashion"],
        classes: [
            "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
        ], mean: 0.2860, std: 0.3530)

    public static let kmnist = DigitSet(
        "kmnist", folders: ["KMNIST/raw", "kmnist", "KMNIST"],
        classes: ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"], mean: 0.1918, std: 0.3483)

    /// The parts that EMNIST is cut into.
    public static let emnistParts = ["byclass", "bymerge", "balanced", "letters", "digits", "mnist"]

    /// - Returns: nil for a part that there is not.
    public static func emnist(_ part: String) -> DigitSet? {
        // Small letters that look like their capitals share a class in the merged parts.
        let distinct = ["a", "b", "d", "e", "f", "g", "h", "n", "q", "r", "t"]
        let constants: (classes: [String], mean: Double, std: Double)
        switch part {
        case "byclass": constants = (digits + capitals + smalls, 0.1736, 0.3317)
        case "bymerge": constants = (digits + capitals + distinct, 0.1736, 0.3317)
        case "balanced": constants = (digits + capitals + distinct, 0.1751, 0.3332)
        // Its labels begin with 1.
        case "letters": constants = (["N/A"] + smalls, 0.1722, 0.3309)
        case "digits", "mnist": constants = (digits, 0.1733, 0.3317)
        default: return nil
        }
        return DigitSet(
            "emnist", folders: ["EMNIST/raw", "emnist", "EMNIST", "gzip"], prefix: "emnist-\(part)-", classes: constants.classes,
            mean: constants.mean, std: constants.std, isTransposed: true, testName: "test")
    }
}
