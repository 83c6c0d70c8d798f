import NN
import XCTest

final class SafetensorsTests: XCTestCase {
    private func load(_ name: String) throws -> [String: Tensor] {
        Dictionary(uniqueKeysWithValues: try Safetensors.load(Fixture.golden(name)).tensors.map { ($0.name, $0.tensor) })
    }

    func testEveryTypeAsPyTorchWroteIt() throws {
        let contents = try Safetensors.load(Fixture.golden("torch.safetensors"))
        XCTAssertEqual(contents.metadata.map(\.name), ["format", "note"])
        XCTAssertEqual(contents.metadata.map(\.text), ["pt", "quo\"te é"])
        let t = try load("torch.safetensors")
        func check(_ name: String, _ dtype: DType, _ shape: [Int], _ expected: [Double], line: UInt = #line) throws {
            let tensor = try XCTUnwrap(t[name], line: line)
            XCTAssertEqual(tensor.dtype, dtype, line: line)
            XCTAssertEqual(tensor.shape.array, shape, line: line)
            XCTAssertEqual(try tensor.doubles(), expected, line: line)
        }
        let thirds = (-2..<4).map { Float($0) / 3 }
        try check("fc.weight", .float32, [2, 3], thirds.map(Double.init))
        try check("fc.bias", .float64, [2], [1.0 / 3, -2.0 / 3])
        // 1/3 in halves is 0x3555, in bfloat16 0x3eab; 2/3 is 0xb955 and 0xbf2b with the sign.
        try check("half", .float32, [6], [-0.66650390625, -0.333251953125, 0, 0.333251953125, 0.66650390625, 1])
        try check("bf", .float32, [6], [-0.66796875, -0.333984375, 0, 0.333984375, 0.66796875, 1])
        try check("i8", .int32, [2], [-128, 127])
        try check("i16", .int32, [2], [-32768, 32767])
        try check("i32", .int32, [2], [-2_147_483_648, 2_147_483_647])
        XCTAssertEqual(try XCTUnwrap(t["i64"]).integers(), [Int.min, Int.max])
        try check("u8", .uint8, [2], [0, 255])
        try check("flags", .bool, [3], [1, 0, 1])
        try check("e4m3", .float32, [3], [-448, 0.015625, 1.5])
        try check("e5m2", .float32, [3], [-57344, 0.0625, 1.5])
        try check("scalar", .float32, [], [2.5])
        try check("none", .float32, [0, 3], [])
    }

    func testNarrowFloatsBecomeWhatPyTorchMakesOfThem() throws {
        let narrow = try load("narrow.safetensors"), wide = try load("narrow_as_float.safetensors")
        for name in ["half", "bf"] {
            for (a, b) in zip(try XCTUnwrap(narrow[name]).doubles(), try XCTUnwrap(wide[name]).doubles()) {
                XCTAssert(a == b && a.sign == b.sign || a.isNaN && b.isNaN, "\(name): \(a) and \(b)")
            }
        }
    }

    func testNarrowingRoundsAsPyTorchDoes() throws {
        let folder = try Fixture.folder(self)
        let t = try load("narrowing.safetensors")
        for (name, precision) in [("half", Safetensors.Precision.float16), ("bf", .bfloat16)] {
            try Safetensors.save([(name, try XCTUnwrap(t["wide"]))], precision: precision, to: "\(folder)/x")
            let ours = try XCTUnwrap(try Safetensors.load("\(folder)/x").tensors.first).tensor
            XCTAssertEqual(try ours.doubles(), try XCTUnwrap(t[name]).doubles(), name)
        }
    }

    func testWritesTheBytesOfTheFormatsOwnWriter() throws {
        let folder = try Fixture.folder(self)
        let golden = try Safetensors.load(Fixture.golden("own.safetensors"))
        for tensors in [golden.tensors, golden.tensors.reversed()] {
            try Safetensors.save(tensors, metadata: golden.metadata, to: "\(folder)/own")
            XCTAssertEqual(try Fixture.bytes("\(folder)/own"), try Fixture.bytes(Fixture.golden("own.safetensors")))
        }
    }

    func testCutAndChangedFiles() throws {
        let folder = try Fixture.folder(self)
        let path = Fixture.golden("own.safetensors")
        try Fixture.checkPrefixes(of: path, in: folder) { _ = try Safetensors.load($0) }
        try Fixture.checkMutations(of: path, in: folder, upTo: 600) { _ = try Safetensors.load($0) }
    }

    /// A file of this header and so many bytes of elements.
    private func file(_ header: String, _ bytes: Int) -> [UInt8] {
        var length = UInt64(header.utf8.count)
        return withUnsafeBytes(of: &length) { Array($0) } + Array(header.utf8) + [UInt8](repeating: 0, count: bytes)
    }

    func testBadHeaders() throws {
        let folder = try Fixture.folder(self)
        let path = "\(folder)/x"
        func entry(_ dtype: String = "F32", _ shape: String = "[2]", _ begin: Int = 0, _ end: Int = 8) -> String {
            "{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":[\(begin),\(end)]}"
        }
        let cases: [(String, Int, String)] = [
            ("{\"a\":\(entry())}", 9, "byte 70: 1 bytes after the last tensor"),
            ("{\"a\":\(entry())}", 7, "the tensors need 8 bytes, the file has 7"),
            ("{\"a\":\(entry()),\"b\":\(entry("F32", "[2]", 4, 12))}", 12, "'b' overlaps the tensor before it"),
            ("{\"a\":\(entry()),\"b\":\(entry("F32", "[2]", 12, 20))}", 20, "4 bytes before 'b' belong to no tensor"),
            ("{\"a\":\(entry()),\"a\":\(entry("F32", "[2]", 8, 16))}", 16, "the name \"a\" appears twice"),
            ("{\"a\":\(entry("C64", "[1]"))}", 8, "elements of type C64 are not supported"),
            ("{\"a\":\(entry("F32", "[3]"))}", 8, "shape [3] of F32 needs 12 bytes, data_offsets give 8"),
            ("{\"a\":\(entry("F32", "[-2]"))}", 8, "sizes must not be negative"),
            ("{\"a\":\(entry("F32", "[4294967296, 4294967296]"))}", 8, "more elements than memory can address"),
            ("{\"a\":\(entry("F32", "[2]", 8, 0))}", 8, "two ascending integers"),
            ("{\"a\":\(entry("F32", "[1,1,1,1,1,1,1,1,2]"))}", 8, "at most 8 dimensions"),
            ("{\"a\":\(entry("BOOL", "[8]"))}", 8, ""),
            ("[]", 0, "begins with '{'"),
            ("{\"a\":3}", 0, "expected an object with dtype"),
            ("{\"__metadata__\":{\"x\":1}}", 0, "'x' is not a string"),
            ("{\"a\" 3}", 0, "byte 13: in the header: expected ':'"),
            ("{\"\\ud800\":3}", 0, "surrogate"),
            ("{" + String(repeating: "\"a\":{", count: 300), 0, "nested deeper"),
        ]
        for (header, bytes, expected) in cases {
            try Fixture.write(file(header, bytes), path)
            if expected.isEmpty {
                XCTAssertEqual(try Safetensors.load(path).tensors.count, 1)
            } else {
                let message = Fixture.failure { _ = try Safetensors.load(path) }
                XCTAssert(message.hasPrefix("\(path): byte ") && message.contains(expected), message)
            }
        }
        try Fixture.write([255, 255, 255, 255, 255, 255, 255, 127, 0x7b], path)
        XCTAssert(Fixture.failure { _ = try Safetensors.load(path) }.contains("the limit is 100000000"))
        var two = file("{\"a\":\(entry("BOOL", "[8]"))}", 8)
        two[two.count - 1] = 2
        try Fixture.write(two, path)
        XCTAssert(Fixture.failure { _ = try Safetensors.load(path) }.contains("element 7 of type BOOL"))
    }

    func testNames() throws {
        let folder = try Fixture.folder(self)
        let one = try Tensor.from([Float(1)], try Shape([1]))
        let names = ["é\"\\\n", "", "a b", "日本"]
        try Safetensors.save(names.map { ($0, one) }, to: "\(folder)/x")
        XCTAssertEqual(Set(try Safetensors.load("\(folder)/x").tensors.map(\.name)), Set(names))
        XCTAssert(Fixture.failure { try Safetensors.save([("a", one), ("a", one)], to: "\(folder)/y") }.contains("two tensors are called 'a'"))
        XCTAssert(Fixture.failure { try Safetensors.save([("__metadata__", one)], to: "\(folder)/y") }.contains("cannot be a tensor's name"))
    }
}
