import Foundation
import NN
import XCTest

final class IDXFileTests: XCTestCase {
    func testEveryElementType() throws {
        func values(_ name: String) throws -> (DType, [Int], [Double]) {
            let t = try IDXFile.read(Fixture.golden(name))
            return (t.dtype, t.shape.array, try t.doubles())
        }
        let up = (0..<12).map(Double.init), from = (-2..<10).map(Double.init)
        for (name, dtype, expected) in [
            ("u8.idx", DType.uint8, up), ("u8.idx.gz", .uint8, up), ("i8.idx", .int32, from), ("i16.idx", .int32, from),
            ("i32.idx", .int32, from), ("f32.idx", .float32, from.map { Double(Float($0) / 3) }),
            ("f64.idx.gz", .float64, from.map { $0 / 3 }),
        ] {
            let (d, shape, v) = try values(name)
            XCTAssertEqual(d, dtype, name)
            XCTAssertEqual(shape, [3, 4], name)
            XCTAssertEqual(v, expected, name)
        }
    }

    func testWritesTheBytesThatOthersWrite() throws {
        let folder = try Fixture.folder(self)
        for name in ["u8.idx", "i32.idx", "f32.idx"] {
            try IDXFile.write(try IDXFile.read(Fixture.golden(name)), to: "\(folder)/out")
            XCTAssertEqual(try Fixture.bytes("\(folder)/out"), try Fixture.bytes(Fixture.golden(name)), name)
        }
        let wide = try Tensor.from([3, -4, 5, 6], try Shape([2, 2]))
        try IDXFile.write(wide, to: "\(folder)/x.gz")
        let back = try IDXFile.read("\(folder)/x.gz")
        XCTAssertEqual(back.dtype, .int32)
        XCTAssertEqual(try back.integers(), [3, -4, 5, 6])
        let message = Fixture.failure { try IDXFile.write(try Tensor.from([1 << 40], try Shape([1])), to: "\(folder)/y") }
        XCTAssert(message.contains("1099511627776"), message)
        XCTAssertFalse(FileManager.default.fileExists(atPath: "\(folder)/y"))
    }

    func testCutFilesAreErrors() throws {
        let folder = try Fixture.folder(self)
        for name in ["u8.idx", "u8.idx.gz", "f64.idx.gz", "i16.idx"] {
            try Fixture.checkPrefixes(of: Fixture.golden(name), in: folder) { _ = try IDXFile.read($0) }
            try Fixture.checkMutations(of: Fixture.golden(name), in: folder) { _ = try IDXFile.read($0) }
        }
    }

    func testReasonsAndOffsets() throws {
        let folder = try Fixture.folder(self)
        let whole = try Fixture.bytes(Fixture.golden("u8.idx"))
        let path = "\(folder)/x"
        func message(_ bytes: [UInt8]) throws -> String {
            try Fixture.write(bytes, path)
            return Fixture.failure { _ = try IDXFile.read(path) }
        }
        XCTAssertEqual(try message(whole + [1, 2]), "\(path): byte 24: 2 bytes more than the shape [3, 4] in its header needs")
        XCTAssertEqual(
            try message(Array(whole.dropLast(5))), "\(path): byte 19: its header says [3, 4], 12 bytes of elements; the file has 7")
        XCTAssert(try message([0, 0, 7, 2] + whole.dropFirst(4)).hasPrefix("\(path): byte 0: not an IDX file"))
        XCTAssertEqual(try message([0, 0, 8, 9] + whole.dropFirst(4)), "\(path): byte 3: expected 1 to 8 dimensions, got 9")
        // Sizes beyond what memory can address are found out before anything is allocated.
        XCTAssert(try message([0, 0, 8, 3] + [UInt8](repeating: 0xff, count: 12) + [1]).contains("byte 4: shape [4294967295"))
        // So are sizes that compressed data of this length cannot hold.
        var header: [UInt8] = [0, 0, 8, 2, 0, 1, 0, 0, 0, 1, 0, 0]
        try Fixture.write(header, "\(folder)/raw")
        let gzip = Process()
        gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        gzip.arguments = ["gzip", "-k", "\(folder)/raw"]
        try gzip.run()
        gzip.waitUntilExit()
        let before = Allocator.shared.statistics.peak
        let bomb = Fixture.failure { _ = try IDXFile.read("\(folder)/raw.gz") }
        XCTAssert(bomb.contains("cannot hold that"), bomb)
        XCTAssertEqual(Allocator.shared.statistics.peak, before)
        header = []
        XCTAssertEqual(Fixture.failure { _ = try IDXFile.read("\(folder)/none") }, "\(folder)/none: cannot open: No such file or directory")
        XCTAssertEqual(Fixture.failure { _ = try IDXFile.read(folder) }, "\(folder): is a folder, expected a file")
    }

    func testDamagedGzip() throws {
        let folder = try Fixture.folder(self)
        let whole = try Fixture.bytes(Fixture.golden("u8.idx.gz"))
        let path = "\(folder)/x.gz"
        func message(_ bytes: [UInt8]) throws -> String {
            try Fixture.write(bytes, path)
            return Fixture.failure { _ = try IDXFile.read(path) }
        }
        var checksum = whole
        checksum[whole.count - 8] ^= 1
        XCTAssert(try message(checksum).contains("corrupt: incorrect data check"))
        XCTAssert(try message(Array(whole.dropLast(3))).contains("byte \(whole.count - 3): the compressed data is cut off"))
        XCTAssert(try message(whole + [1, 2, 3]).contains("byte \(whole.count): expected the end of the file or another gzip member"))
        XCTAssert(try message(whole + whole).contains("there are more"))
        // Zeros after the end are padding.
        try Fixture.write(whole + [0, 0, 0], path)
        XCTAssertEqual(try IDXFile.read(path).count, 12)
    }

    func testPipe() throws {
        let folder = try Fixture.folder(self)
        let path = "\(folder)/pipe"
        XCTAssertEqual(mkfifo(path, 0o600), 0)
        let bytes = try Fixture.bytes(Fixture.golden("u8.idx.gz"))
        let writer = Thread { try? Fixture.write(toPipe: bytes, path) }
        writer.start()
        XCTAssertEqual(try IDXFile.read(path).count, 12)
    }

    func testUnwritableFolderAndFullDisk() throws {
        let folder = try Fixture.folder(self)
        let tensor = try Tensor(emptyOf: try Shape([1000]), .uint8)
        let missing = Fixture.failure { try IDXFile.write(tensor, to: "\(folder)/none/x") }
        XCTAssertEqual(missing, "\(folder)/none/x: cannot create the file: No such file or directory")
        XCTAssertEqual(Fixture.failure { try IDXFile.write(tensor, to: "/dev/full") }, "/dev/full: is not a regular file, it cannot be replaced")
        // A limit on file sizes stands for the full disk: the old file stays whole, nothing else remains.
        let path = "\(folder)/x"
        try Fixture.write([1, 2, 3], path)
        var old = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old)
        var small = rlimit(rlim_cur: 100, rlim_max: old.rlim_max)
        signal(SIGXFSZ, SIG_IGN)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &small)
        let full = Fixture.failure { try IDXFile.write(tensor, to: path) }
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &old)
        XCTAssertEqual(full, "\(path): cannot write (what was there before is unchanged): File too large")
        XCTAssertEqual(try Fixture.bytes(path), [1, 2, 3])
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: folder), ["x"])
    }
}

extension Fixture {
    static func write(toPipe bytes: [UInt8], _ path: String) throws {
        guard let handle = FileHandle(forWritingAtPath: path) else { return }
        try handle.write(contentsOf: Data(bytes))
        try handle.close()
    }
}
