/// Text files of rows and columns (RFC 4180): columns of numbers and of true and false become tensors, others lists of text.
public enum CSVFile {
    public struct Options: Sendable {
        public var separator = UInt8(ascii: ",")
        /// Whether the first row names the columns.
        public var hasHeader = true
        /// What columns with fractions, or with missing numbers, become.
        public var floatType = DType.float32
        /// Columns whose kind is not to be guessed.
        public var kinds: [String: Kind] = [:]
        /// Leaves bad rows out instead of failing.
        public var skipsBadRows = false

        public init() {}
    }

    public enum Kind: String, Sendable {
        case number, string, bool

        fileprivate var meaning: String { self == .bool ? "true or false" : "a number" }
    }

    public enum Column {
        case numbers(Tensor)
        case texts([String])
    }

    public struct Table {
        /// Names in the order of the file; without a header "1", "2", ...
        public var names: [String]
        public var columns: [Column]
        /// What was left out, and why.
        public var problems: [String]
    }

    /// - Throws: `TensorError` that names the first bad rows with their lines, unless they are to be skipped.
    public static func read(_ path: String, _ options: Options = Options()) throws -> Table {
        let file = try InputFile(path)
        let bytes = try file.contents()
        var scanner = CSVScanner(bytes.buffer, separator: options.separator)
        var names: [String] = []
        var builders: [ColumnBuilder] = []
        var problems: [String] = []
        var badRows = 0
        func open(_ count: Int) throws {
            for kind in options.kinds.keys.sorted() where !names.contains(kind) {
                throw TensorError("\(path): there is no column '\(kind)'; there are \(names.joined(separator: ", "))")
            }
            builders = (0..<count).map { ColumnBuilder(kind: options.kinds[names[$0]]) }
        }
        if options.hasHeader, let header = try scanner.row(path) {
            names = header.map { $0.text }
            for (i, name) in names.enumerated() where names[..<i].contains(name) {
                throw TensorError("\(path): line \(scanner.rowLine): two columns are called '\(name)'")
            }
            try open(names.count)
        }
        while let row = try scanner.row(path) {
            if names.isEmpty {
                names = row.indices.map { String($0 + 1) }
                try open(names.count)
            }
            if scanner.rowLine % 4096 == 0 { try Engine.checkInterrupt() }
            guard let problem = add(row, to: &builders, names) else { continue }
            badRows += 1
            if problems.count < 1000 || options.skipsBadRows { problems.append("line \(scanner.rowLine): \(problem)") }
        }
        guard problems.isEmpty || options.skipsBadRows else {
            let shown = problems.prefix(5).joined(separator: "\n  ")
            throw TensorError("\(path): \(badRows) bad row\(badRows == 1 ? "" : "s"):\n  \(shown)\(badRows > 5 ? "\n  and \(badRows - 5) more" : "")")
        }
        return Table(names: names, columns: try builders.map { try $0.column(options.floatType) }, problems: problems)
    }

    /// Adds a row to all columns or to none.
    /// - Returns: what is wrong with it.
    private static func add(_ row: [CSVScanner.Field], to builders: inout [ColumnBuilder], _ names: [String]) -> String? {
        guard row.count == builders.count else { return "expected \(builders.count) fields, got \(row.count)" }
        var values: [ColumnBuilder.Value] = []
        values.reserveCapacity(row.count)
        for (i, field) in row.enumerated() {
            guard let value = builders[i].value(field) else {
                return "column '\(names[i])': expected \(builders[i].expected), got '\(field.text.prefix(40))'"
            }
            values.append(value)
        }
        for (i, value) in values.enumerated() { builders[i].append(value) }
        return nil
    }
}

/// Cuts text into rows of fields.
struct CSVScanner {
    struct Field {
        let bytes: UnsafeRawBufferPointer
        let isQuoted: Bool

        /// The text, with doubled quotes made single.
        var text: String {
            guard isQuoted, bytes.contains(0x22) else { return String(decoding: bytes, as: UTF8.self) }
            var plain: [UInt8] = []
            var i = 0
            while i < bytes.count {
                plain.append(bytes[i])
                i += bytes[i] == 0x22 ? 2 : 1
            }
            return String(decoding: plain, as: UTF8.self)
        }
    }

    private let bytes: UnsafeRawBufferPointer
    private let separator: UInt8
    private var at = 0
    private var line = 1
    /// Where the last row began.
    private(set) var rowLine = 0

    init(_ bytes: UnsafeRawBufferPointer, separator: UInt8) {
        self.bytes = bytes
        self.separator = separator
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { at = 3 }
    }

    /// The next row that is not empty; nil at the end.
    mutating func row(_ path: String) throws -> [Field]? {
        while at < bytes.count, bytes[at] == 0x0a || bytes[at] == 0x0d { endLine() }
        guard at < bytes.count else { return nil }
        rowLine = line
        var fields: [Field] = []
        while true {
            fields.append(try field(path))
            guard at < bytes.count, bytes[at] == separator else { break }
            at += 1
        }
        if at < bytes.count { endLine() }
        return fields
    }

    private mutating func endLine() {
        if bytes[at] == 0x0d, at + 1 < bytes.count, bytes[at + 1] == 0x0a { at += 1 }
        at += 1
        line += 1
    }

    private mutating func field(_ path: String) throws -> Field {
        guard at < bytes.count, bytes[at] == 0x22 else {
            let start = at
            while at < bytes.count, bytes[at] != separator, bytes[at] != 0x0a, bytes[at] != 0x0d { at += 1 }
            return Field(bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<at]), isQuoted: false)
        }
        let first = line
        at += 1
        let start = at
        while at < bytes.count {
            if bytes[at] == 0x22 {
                if at + 1 < bytes.count, bytes[at + 1] == 0x22 {
                    at += 2
                    continue
                }
                let field = Field(bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<at]), isQuoted: true)
                at += 1
                guard at == bytes.count || bytes[at] == separator || bytes[at] == 0x0a || bytes[at] == 0x0d else {
                    throw TensorError("\(path): line \(line): text after the closing quote of a field")
                }
                return field
            }
            if bytes[at] == 0x0a { line += 1 }
            at += 1
        }
        throw TensorError("\(path): line \(first): a field that begins with a quote has no closing one")
    }
}

/// Collects one column; its first value that is not missing decides whether it holds numbers. A column of text that
/// says nothing but true and false is one of booleans.
struct ColumnBuilder {
    enum Value {
        case int(Int)
        case double(Double)
        case missing
        case text(String)
    }

    private var kind: CSVFile.Kind?
    /// Values missing before the kind was known.
    private var missing = 0
    private var ints: [Int] = []
    private var doubles: [Double] = []
    private var isFloat = false
    private var texts: [String] = []
    /// Whether all text so far was true or false; not asked of columns that were declared text.
    private var saysBool: Bool

    init(kind: CSVFile.Kind?) {
        self.kind = kind
        saysBool = kind != .string
    }

    var expected: String { kind?.meaning ?? "a value" }

    /// The field as this column takes it; nil when it is no number in a column of numbers.
    func value(_ field: CSVScanner.Field) -> Value? {
        switch kind {
        case .string: return .text(field.text)
        case .number: return ColumnBuilder.number(field)
        case .bool: return ColumnBuilder.truth(field.text) == nil ? nil : .text(field.text)
        case nil: return ColumnBuilder.number(field) ?? .text(field.text)
        }
    }

    mutating func append(_ value: Value) {
        if kind == nil {
            switch value {
            case .missing:
                missing += 1
                return
            case .text:
                kind = .string
                saysBool = missing == 0
                texts = Array(repeating: "", count: missing)
            case .int, .double:
                kind = .number
                if missing > 0 { becomeFloat() }
                doubles = Array(repeating: .nan, count: missing)
            }
        }
        switch value {
        case .text(let text):
            texts.append(text)
            saysBool = saysBool && ColumnBuilder.truth(text) != nil
        case .missing:
            if kind == .string { texts.append("") } else {
                becomeFloat()
                doubles.append(.nan)
            }
        case .int(let n): if isFloat { doubles.append(Double(n)) } else { ints.append(n) }
        case .double(let d):
            becomeFloat()
            doubles.append(d)
        }
    }

    private mutating func becomeFloat() {
        guard !isFloat else { return }
        isFloat = true
        doubles = ints.map { Double($0) }
        ints = []
    }

    /// int64 if every number was an integer, else a float; bool for true and false.
    func column(_ floatType: DType) throws -> CSVFile.Column {
        if kind == .bool || kind == .string && saysBool {
            let tensor = try Tensor(emptyOf: Shape(texts.count), .bool)
            for (i, text) in texts.enumerated() { tensor.setElement(i, .bool(ColumnBuilder.truth(text) ?? false)) }
            return .numbers(tensor)
        }
        if kind == .string { return .texts(texts) }
        if kind == nil { return .texts(Array(repeating: "", count: missing)) }
        guard isFloat else { return .numbers(try Tensor.from(ints, Shape(ints.count))) }
        let tensor = try Tensor(emptyOf: Shape(doubles.count), floatType)
        for (i, d) in doubles.enumerated() { tensor.setElement(i, .double(d)) }
        return .numbers(tensor)
    }

    /// As Lua, JSON, Python and pandas write it.
    private static func truth(_ text: String) -> Bool? {
        switch text.trimmingSpaces {
        case "true", "True", "TRUE": true
        case "false", "False", "FALSE": false
        default: nil
        }
    }

    private static let missingWords: Set<String> = ["", "na", "n/a", "nan", "null", "none"]

    private static func number(_ field: CSVScanner.Field) -> Value? {
        let bytes = field.bytes
        var low = 0, high = bytes.count
        while low < high, bytes[low] == 0x20 || bytes[low] == 0x09 { low += 1 }
        while low < high, bytes[high - 1] == 0x20 || bytes[high - 1] == 0x09 { high -= 1 }
        // Most numbers are short integers; the general way is ten times slower.
        var i = low
        let isNegative = i < high && bytes[i] == UInt8(ascii: "-")
        if isNegative || i < high && bytes[i] == UInt8(ascii: "+") { i += 1 }
        if i < high, high - i <= 18 {
            var n = 0
            while i < high, bytes[i] &- 48 < 10 {
                n = n * 10 + Int(bytes[i] - 48)
                i += 1
            }
            if i == high { return .int(isNegative ? -n : n) }
        }
        let text = String(decoding: bytes[low..<high], as: UTF8.self)
        if missingWords.contains(text.lowercased()) { return .missing }
        if let n = Int(text) { return .int(n) }
        // Swift's reader takes hexadecimal floats and "infinity" as well; the latter is what others write.
        guard !text.contains("x"), !text.contains("X"), let d = Double(text) else { return nil }
        return .double(d)
    }
}

extension String {
    fileprivate var trimmingSpaces: Substring {
        var text = self[...]
        while let c = text.first, c == " " || c == "\t" { text.removeFirst() }
        while let c = text.last, c == " " || c == "\t" { text.removeLast() }
        return text
    }
}
