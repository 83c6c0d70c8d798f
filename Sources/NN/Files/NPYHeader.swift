/// The header of a .npy file: a Python dictionary of three entries.
/// Source: numpy.lib.format
struct NPYHeader {
    /// Type code without byte order: "f4", "i8", "b1".
    var type: String
    var isBigEndian: Bool
    var isFortran: Bool
    var shape: [Int]
    /// Bytes of magic, length and dictionary together.
    var size: Int

    /// Element types that NumPy writes, by code; complex, text, times and records are not tensors.
    static let types: [String: SafetensorsType] = [
        "b1": .bool, "u1": .uint8, "i1": .int8, "u2": .uint16, "i2": .int16, "u4": .uint32, "i4": .int32,
        "u8": .uint64, "i8": .int64, "f2": .float16, "f4": .float32, "f8": .float64,
    ]

    /// Header bytes for a tensor of this dtype and shape, as NumPy writes them.
    static func bytes(_ dtype: DType, _ shape: Shape) -> [UInt8] {
        let code =
            switch dtype {
            case .float32: "<f4"
            case .float64: "<f8"
            case .int64: "<i8"
            case .int32: "<i4"
            case .uint8: "|u1"
            case .bool: "|b1"
            }
        let sizes = shape.rank == 1 ? "\(shape[0])," : shape.array.map(String.init).joined(separator: ", ")
        var text = "{'descr': '\(code)', 'fortran_order': False, 'shape': (\(sizes)), }"
        // NumPy leaves room for a first dimension that grows, then aligns to 64 bytes.
        if let first = shape.array.first { text += String(repeating: " ", count: max(21 - String(first).count, 0)) }
        text += String(repeating: " ", count: (64 - (10 + text.utf8.count + 1) % 64) % 64) + "\n"
        return [0x93] + Array("NUMPY".utf8) + [1, 0] + UInt16(text.utf8.count).littleEndianBytes + Array(text.utf8)
    }

    /// - Parameters:
    ///   - length: bytes that there are.
    ///   - read: gives `count` bytes at an offset within them.
    init(_ path: String, length: Int, base: Int, read: (_ count: Int, _ offset: Int) throws -> [UInt8]) throws {
        func bad(_ offset: Int, _ reason: String) -> TensorError { TensorError.file(path, at: base + offset, reason) }
        guard length >= 10, try read(6, 0) == [0x93] + Array("NUMPY".utf8) else {
            throw bad(0, "not a .npy file: expected 93 'NUMPY', a version and a length")
        }
        let version = try read(2, 6)
        guard version[0] >= 1, version[0] <= 3 else { throw bad(6, "version \(version[0]).\(version[1]) of the format is not known") }
        let start = version[0] == 1 ? 10 : 12
        guard length >= start else { throw bad(length, "the file ends within its header") }
        let textLength = version[0] == 1
            ? Int(UInt16(littleEndian: try read(2, 8))) : Int(UInt32(littleEndian: try read(4, 8)))
        // NumPy's own reader has the same idea of what is too long to be true.
        guard textLength <= 1 << 20 else { throw bad(8, "a header of \(textLength) bytes is too long to be true") }
        guard textLength <= length - start else { throw bad(length, "the file ends within its header of \(textLength) bytes") }
        var parser = PythonLiteral(try read(textLength, start))
        size = start + textLength
        do {
            let entries = try parser.dictionary()
            guard case .text(let descr)? = entries["descr"] else { throw PythonLiteral.Failure(offset: 0, reason: "no 'descr' that names a plain type") }
            guard case .bool(let fortran)? = entries["fortran_order"] else { throw PythonLiteral.Failure(offset: 0, reason: "no 'fortran_order'") }
            guard case .tuple(let sizes)? = entries["shape"] else { throw PythonLiteral.Failure(offset: 0, reason: "no 'shape'") }
            guard let order = descr.first, "<>|=".contains(order) else {
                throw PythonLiteral.Failure(offset: 0, reason: "elements of type '\(descr)' are not supported")
            }
            type = String(descr.dropFirst())
            guard NPYHeader.types[type] != nil else {
                throw PythonLiteral.Failure(offset: 0, reason: "elements of type '\(descr)' are not supported; there are \(NPYHeader.types.keys.sorted().joined(separator: " "))")
            }
            isBigEndian = order == ">"
            isFortran = fortran
            shape = sizes
        } catch let failure as PythonLiteral.Failure { throw bad(start + failure.offset, "in the header: \(failure.reason)") }
    }
}

/// As much of Python's literals as these headers use.
struct PythonLiteral {
    struct Failure: Error {
        var offset: Int
        var reason: String
    }

    enum Value {
        case text(String)
        case bool(Bool)
        case int(Int)
        case tuple([Int])
    }

    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private func failure(_ reason: String) -> Failure { Failure(offset: at, reason: reason) }

    private mutating func skipSpace() { while at < bytes.count, bytes[at] == 0x20 || bytes[at] == 0x0a { at += 1 } }

    private mutating func take(_ c: Unicode.Scalar) -> Bool {
        skipSpace()
        guard at < bytes.count, bytes[at] == UInt8(ascii: c) else { return false }
        at += 1
        return true
    }

    mutating func dictionary() throws -> [String: Value] {
        guard take("{") else { throw failure("expected '{'") }
        var entries: [String: Value] = [:]
        while !take("}") {
            guard case .text(let name) = try value() else { throw failure("expected a name in quotes") }
            guard entries[name] == nil else { throw failure("'\(name)' appears twice") }
            guard take(":") else { throw failure("expected ':'") }
            entries[name] = try value()
            if !take(",") {
                guard take("}") else { throw failure("expected ',' or '}'") }
                break
            }
        }
        skipSpace()
        guard at == bytes.count else { throw failure("text after the dictionary") }
        return entries
    }

    private mutating func value() throws -> Value {
        skipSpace()
        guard at < bytes.count else { throw failure("the header ends early") }
        let c = bytes[at]
        if c == UInt8(ascii: "'") || c == UInt8(ascii: "\"") {
            guard let end = bytes[(at + 1)...].firstIndex(of: c) else { throw failure("a string without end") }
            let text = String(decoding: bytes[(at + 1)..<end], as: UTF8.self)
            at = end + 1
            return .text(text)
        }
        for (word, value) in [("True", true), ("False", false)] where bytes[at...].starts(with: word.utf8) {
            at += word.utf8.count
            return .bool(value)
        }
        guard take("(") else { return .int(try integer()) }
        var sizes: [Int] = []
        while !take(")") {
            sizes.append(try integer())
            if !take(",") {
                guard take(")") else { throw failure("expected ',' or ')'") }
                break
            }
        }
        return .tuple(sizes)
    }

    private mutating func integer() throws -> Int {
        skipSpace()
        let digits = bytes[at...].prefix { $0 >= 48 && $0 <= 57 }
        guard !digits.isEmpty, let value = Int(String(decoding: digits, as: UTF8.self)) else { throw failure("expected a size or a plain type") }
        at = digits.endIndex
        // Python 2 wrote long integers so.
        _ = take("L")
        return value
    }
}
